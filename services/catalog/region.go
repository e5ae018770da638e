package catalog

import (
	"context"
	"net/url"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/store"
)

// RegionView is a region as commands return it.
type RegionView struct {
	ID       int    `json:"id" doc:"its number"`
	Name     string `json:"name" doc:"its name"`
	Endpoint string `json:"endpoint" doc:"where its API is reached"`
	GSLB     bool   `json:"gslbserviceenabled" doc:"whether it balances load between regions; Aerie does not"`
	Portable bool   `json:"portableipserviceenabled" doc:"whether it has portable addresses; Aerie does not"`
}

func (r Region) view() RegionView { return RegionView{ID: r.ID, Name: r.Name, Endpoint: r.Endpoint} }

// ListRegionsRequest asks for regions.
type ListRegionsRequest struct {
	command.Paging
	ID   *int   `json:"id" doc:"the region's number"`
	Name string `json:"name" doc:"its name, as a whole"`
}

func (s *Service) listRegionsCommand() *command.Command {
	return command.New(command.Meta{Name: "listRegions", Object: "region", Roles: command.Everyone, Doc: "Lists regions"}, s.ListRegions)
}

// ListRegions returns a page of regions.
func (s *Service) ListRegions(ctx context.Context, r ListRegionsRequest) (out command.List[RegionView], err error) {
	q := command.Named(s.db.In(ctx).Model(&Region{}), "name", r.Name)
	if r.ID != nil {
		q = q.Where("id = ?", *r.ID)
	}
	rows, n, err := command.Rows[Region](r.Search(q, "name", "endpoint"), r.Paging, "id")
	return command.ListOf(rows, n, Region.view), err
}

func regionMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "region", Event: event, Roles: command.Admin, Doc: doc}
}

// AddRegionRequest is a new region.
type AddRegionRequest struct {
	ID       *int   `json:"id" required:"true" range:"1..2147483647" doc:"its number, which all regions agree on"`
	Name     string `json:"name" required:"true" doc:"its name"`
	Endpoint string `json:"endpoint" required:"true" doc:"where its API is reached"`
}

func (s *Service) addRegionCommand() *command.Command {
	return command.New(regionMeta("addRegion", "REGION.CREATE", "Adds a region beside this one"), func(ctx context.Context, r AddRegionRequest) (RegionView, error) {
		row := Region{ID: *r.ID, CreatedAt: s.db.Now(), Name: strings.TrimSpace(r.Name), Endpoint: r.Endpoint}
		if err := s.checkRegion(ctx, row); err != nil {
			return RegionView{}, err
		}
		n, err := gorm.G[Region](s.db.In(ctx)).Where("id = ?", row.ID).Count(ctx, "id")
		if err != nil {
			return RegionView{}, err
		}
		if n > 0 {
			return RegionView{}, fault.Param("id", "error.name_taken", "value", row.ID)
		}
		aboutRegion(ctx, row)
		return row.view(), taken("name", row.Name, gorm.G[Region](s.db.In(ctx)).Create(ctx, &row))
	})
}

func aboutRegion(ctx context.Context, r Region) {
	command.About(ctx, event.Resource{Kind: "region", ID: itoa(r.ID), Name: r.Name}, store.Owner{})
}

// checkRegion refuses an address that is none and a name that another has.
func (s *Service) checkRegion(ctx context.Context, r Region) error {
	u, err := url.Parse(r.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fault.Param("endpoint", "error.url", "value", r.Endpoint)
	}
	if r.Name == "" {
		return fault.Param("name", "error.required")
	}
	var n int64
	err = command.Named(s.db.In(ctx).Model(&Region{}), "name", r.Name).Where("id <> ?", r.ID).Count(&n).Error
	if err == nil && n > 0 {
		err = fault.Param("name", "error.name_taken", "value", r.Name)
	}
	return err
}

// UpdateRegionRequest changes a region.
type UpdateRegionRequest struct {
	ID       *int   `json:"id" required:"true" doc:"its number"`
	Name     string `json:"name" doc:"its name"`
	Endpoint string `json:"endpoint" doc:"where its API is reached"`
}

func (s *Service) updateRegionCommand() *command.Command {
	return command.New(regionMeta("updateRegion", "REGION.UPDATE", "Changes a region"), func(ctx context.Context, r UpdateRegionRequest) (RegionView, error) {
		row, err := s.region(ctx, *r.ID)
		if err != nil {
			return RegionView{}, err
		}
		before := row
		if name := strings.TrimSpace(r.Name); name != "" {
			row.Name = name
		}
		if r.Endpoint != "" {
			row.Endpoint = r.Endpoint
		}
		if err := s.checkRegion(ctx, row); err != nil {
			return RegionView{}, err
		}
		aboutRegion(ctx, row)
		command.Changed(ctx, before.audit(), row.audit())
		err = s.db.In(ctx).Model(&Region{}).Where("id = ?", row.ID).Updates(row.audit()).Error
		return row.view(), taken("name", row.Name, err)
	})
}

// audit is what may change of a region, by its columns.
func (r Region) audit() map[string]any {
	return map[string]any{"name": r.Name, "endpoint": r.Endpoint}
}

func (s *Service) region(ctx context.Context, id int) (Region, error) {
	row, err := gorm.G[Region](s.db.In(ctx)).Where("id = ?", id).Take(ctx)
	if store.IsAbsent(err) {
		err = fault.Absent("id", itoa(id))
	}
	return row, err
}

// RegionRequest names a region.
type RegionRequest struct {
	ID *int `json:"id" required:"true" doc:"its number"`
}

func (s *Service) removeRegionCommand() *command.Command {
	m := regionMeta("removeRegion", "REGION.DELETE", "Removes a region; this cloud's own stays")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r RegionRequest) (command.Success, error) {
		row, err := s.region(ctx, *r.ID)
		if err != nil {
			return command.Success{}, err
		}
		if row.ID == own {
			return command.Success{}, fault.Param("id", "error.region_own", "name", row.Name)
		}
		aboutRegion(ctx, row)
		return command.OK, s.db.In(ctx).Where("id = ?", row.ID).Delete(&Region{}).Error
	})
}
