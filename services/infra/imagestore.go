package infra

import (
	"context"
	"net/url"
	"path"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/label"
	"aerie/services/store"
)

// ImageStoreView is secondary storage as commands return it.
type ImageStoreView struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	ZoneID      string `json:"zoneid"`
	ZoneName    string `json:"zonename"`
	URL         string `json:"url"`
	Protocol    string `json:"protocol"`
	Provider    string `json:"providername"`
	Scope       string `json:"scope"`
	ReadOnly    bool   `json:"readonly"`
	Annotations bool   `json:"hasannotations"`
	Total       int64  `json:"disksizetotal"`
	Used        int64  `json:"disksizeused"`
}

func (i ImageStore) view(zones map[string]string) ImageStoreView {
	return ImageStoreView{
		ID: i.ID, Name: i.Name, ZoneID: i.ZoneID, ZoneName: zones[i.ZoneID], URL: i.URL, Protocol: i.Protocol,
		Provider: i.Provider, Scope: "ZONE", ReadOnly: i.ReadOnly, Total: i.Capacity, Used: i.Used,
	}
}

func (s *Service) imageStoreViews(ctx context.Context, list []ImageStore) ([]ImageStoreView, error) {
	var ids []string
	for _, i := range list {
		ids = append(ids, i.ZoneID)
	}
	zones, err := store.Names[Zone](ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	out := make([]ImageStoreView, len(list))
	for i, row := range list {
		out[i] = row.view(zones)
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Notes: true}, func(v *ImageStoreView) string { return v.ID }, func(v *ImageStoreView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
	})
}

func imageStoreMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "imagestore", Event: event, Roles: command.Admin, Doc: doc}
}

// AddImageStoreRequest is new secondary storage.
type AddImageStoreRequest struct {
	Provider string `json:"provider" required:"true" enum:"Local,NFS" doc:"Local, or NFS for a mounted share"`
	URL      string `json:"url" max:"2048" doc:"file:///PATH of a folder that the zone's hosts share"`
	Name     string `json:"name" doc:"name of the store"`
	ZoneID   string `json:"zoneid" ref:"zone" doc:"the zone"`
}

func (s *Service) addImageStoreCommand() *command.Command {
	return command.New(imageStoreMeta("addImageStore", "IMAGE.STORE.ADD", "Adds secondary storage"),
		func(ctx context.Context, r AddImageStoreRequest) (ImageStoreView, error) {
			u, err := url.Parse(r.URL)
			if err != nil || u.Scheme != "file" || u.Path == "" || u.Path == "/" || path.Clean(u.Path) != u.Path {
				return ImageStoreView{}, fault.Param("url", "error.image_store_url", "value", r.URL)
			}
			if r.ZoneID == "" {
				return ImageStoreView{}, fault.Param("zoneid", "error.required", "command", "addimagestore")
			}
			if _, err := find[Zone](ctx, s, "zoneid", r.ZoneID); err != nil {
				return ImageStoreView{}, err
			}
			i := ImageStore{
				Row: store.Row{ID: s.db.NewID()}, ZoneID: r.ZoneID, Name: or(r.Name, r.URL), URL: r.URL, Provider: r.Provider,
				Protocol: "file", Path: u.Path,
			}
			if err := unique[ImageStore](ctx, s, "name", i.Name, "zone_id = ?", r.ZoneID); err != nil {
				return ImageStoreView{}, err
			}
			if err := gorm.G[ImageStore](s.db.In(ctx)).Create(ctx, &i); err != nil {
				return ImageStoreView{}, err
			}
			views, err := s.imageStoreViews(ctx, []ImageStore{i})
			if err != nil {
				return ImageStoreView{}, err
			}
			return views[0], nil
		})
}

// UpdateImageStoreRequest changes what may change of secondary storage. Its
// capacity is measured, so CloudStack's capacitybytes is not asked for.
type UpdateImageStoreRequest struct {
	ID       string `json:"id" ref:"imagestore" required:"true" doc:"the store"`
	Name     string `json:"name" doc:"name of the store"`
	ReadOnly *bool  `json:"readonly" doc:"true puts nothing new there"`
}

func (s *Service) updateImageStoreCommand() *command.Command {
	return command.New(imageStoreMeta("updateImageStore", "UPDATE.IMAGE.STORE.ACCESS.STATE", "Changes secondary storage"),
		func(ctx context.Context, r UpdateImageStoreRequest) (ImageStoreView, error) {
			before, err := find[ImageStore](ctx, s, "id", r.ID)
			if err != nil {
				return ImageStoreView{}, err
			}
			set := map[string]any{}
			if r.Name != "" {
				if err := unique[ImageStore](ctx, s, "name", r.Name, "zone_id = ? AND id <> ?", before.ZoneID, r.ID); err != nil {
					return ImageStoreView{}, err
				}
				set["name"] = r.Name
			}
			if r.ReadOnly != nil {
				set["read_only"] = *r.ReadOnly
			}
			if err := change[ImageStore](ctx, s, r.ID, set); err != nil {
				return ImageStoreView{}, err
			}
			after, err := store.Find[ImageStore](ctx, s.db, r.ID)
			if err != nil {
				return ImageStoreView{}, err
			}
			command.Changed(ctx, before.audit(), after.audit())
			views, err := s.imageStoreViews(ctx, []ImageStore{after})
			if err != nil {
				return ImageStoreView{}, err
			}
			return views[0], nil
		})
}

func (i ImageStore) audit() map[string]any {
	return map[string]any{"name": i.Name, "readonly": i.ReadOnly}
}

// ImageStoreRequest names secondary storage.
type ImageStoreRequest struct {
	ID string `json:"id" ref:"imagestore" required:"true" doc:"the store"`
}

func (s *Service) deleteImageStoreCommand() *command.Command {
	m := imageStoreMeta("deleteImageStore", "IMAGE.STORE.DELETE", "Removes secondary storage that holds nothing")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r ImageStoreRequest) (command.Success, error) {
		i, err := find[ImageStore](ctx, s, "id", r.ID)
		if err != nil {
			return command.Success{}, err
		}
		if err := s.free(ctx, "imagestore", i.ID, i.Name); err != nil {
			return command.Success{}, err
		}
		return command.OK, remove[ImageStore](ctx, s, i.ID)
	})
}

// ListImageStoresRequest asks for secondary storage.
type ListImageStoresRequest struct {
	command.Paging
	ID       string `json:"id" ref:"imagestore" doc:"the store"`
	Name     string `json:"name" doc:"name of the store, as a whole"`
	ZoneID   string `json:"zoneid" ref:"zone" doc:"the zone"`
	Provider string `json:"provider" doc:"the provider"`
	Protocol string `json:"protocol" doc:"the protocol"`
	ReadOnly *bool  `json:"readonly" doc:"whether nothing new is put there"`
}

func (s *Service) listImageStoresCommand() *command.Command {
	return command.New(imageStoreMeta("listImageStores", "", "Lists secondary storage"),
		func(ctx context.Context, r ListImageStoresRequest) (command.List[ImageStoreView], error) {
			q := command.Equal(command.Equal(s.db.In(ctx).Model(&ImageStore{}), "id", r.ID), "zone_id", r.ZoneID)
			for column, v := range map[string]string{"name": r.Name, "provider": r.Provider, "protocol": r.Protocol} {
				q = command.Named(q, column, v)
			}
			if r.ReadOnly != nil {
				q = q.Where("read_only = ?", *r.ReadOnly)
			}
			list, n, err := command.Rows[ImageStore](r.Search(q, "name", "url"), r.Paging, "name, id")
			if err != nil {
				return command.List[ImageStoreView]{}, err
			}
			views, err := s.imageStoreViews(ctx, list)
			return command.List[ImageStoreView]{Count: n, Items: views}, err
		})
}
