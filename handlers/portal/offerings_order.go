package portal

import (
	"slices"
	"strconv"

	"aerie/services/compute"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/views/components"
)

// placed is an offering with its place in lists.
type placed struct {
	id  string
	key int
}

// everyOffering is a list of offerings as it is ordered, whatever their state.
func everyOffering[T any](r *Request, name, state string, at func(T) placed) ([]placed, error) {
	v := vals("state", state)
	v.Set("pagesize", "-1")
	out, err := list[T](r, name, v)
	var all []placed
	for _, o := range out.Items {
		all = append(all, at(o))
	}
	return all, err
}

func sizeOrder(r *Request) ([]placed, error) {
	return everyOffering(r, "listServiceOfferings", "all", func(o compute.OfferingView) placed { return placed{o.ID, o.SortKey} })
}

func diskOrder(r *Request) ([]placed, error) {
	return everyOffering(r, "listDiskOfferings", "all", func(o storage.OfferingView) placed { return placed{o.ID, o.SortKey} })
}

func wireOrder(r *Request) ([]placed, error) {
	return everyOffering(r, "listNetworkOfferings", "", func(o network.OfferingView) placed { return placed{o.ID, o.SortKey} })
}

func vpcOrder(r *Request) ([]placed, error) {
	return everyOffering(r, "listVPCOfferings", "", func(o network.VPCOfferingView) placed { return placed{o.ID, o.SortKey} })
}

// moveOffering puts an offering one place up or down. The first time all get
// their number; from then on two change places.
func moveOffering(r *Request, h offeringPages) error {
	o, err := offeringOf(r, h.lists)
	if err != nil {
		return err
	}
	all, err := h.order(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(p placed) bool { return p.id == o.ID })
	j := i - 1
	if r.FormValue("to") == "down" {
		j = i + 1
	}
	if i >= 0 && j >= 0 && j < len(all) {
		all[i], all[j] = all[j], all[i]
	}
	for n, p := range all {
		if p.key == n+1 {
			continue
		}
		if _, err := r.Call(h.update, vals("id", p.id, "sortkey", strconv.Itoa(n+1))); err != nil {
			return r.refuse(err)
		}
	}
	r.flash(flash{Tone: components.OK, Text: r.T("pg.moved", "name", o.Name)})
	return r.goTo(r.back(r.home()))
}
