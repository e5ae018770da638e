package builtin

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
)

// EventView is an event as the API shows it.
type EventView struct {
	ID           string       `json:"id" doc:"the ID of the event"`
	Account      string       `json:"account" doc:"the account name for the account that owns the object being acted on in the event"`
	Archived     bool         `json:"archived" doc:"whether the event has been archived or not"`
	Created      command.Time `json:"created" doc:"the date the event was created"`
	Description  string       `json:"description" doc:"a brief description of the event"`
	Domain       string       `json:"domain" doc:"the name of the account's domain"`
	DomainID     string       `json:"domainid" doc:"the id of the account's domain"`
	DomainPath   string       `json:"domainpath" doc:"path of the domain"`
	Level        event.Level  `json:"level" doc:"the event level (INFO, WARN, ERROR)"`
	ParentID     string       `json:"parentid" doc:"whether the event is parented"`
	Project      string       `json:"project" doc:"the project name of the address"`
	ProjectID    string       `json:"projectid" doc:"the project id of the ipaddress"`
	ResourceID   string       `json:"resourceid" doc:"the id of the resource"`
	ResourceName string       `json:"resourcename" doc:"the name of the resource"`
	ResourceType string       `json:"resourcetype" doc:"the type of the resource"`
	State        event.State  `json:"state" doc:"the state of the event"`
	Type         string       `json:"type" doc:"the type of the event"`
	Username     string       `json:"username" doc:"the name of the user who performed the action"`
}

type listEventsRequest struct {
	command.Paging
	command.Scope
	ID           string       `json:"id" ref:"event" doc:"the ID of the event"`
	StartID      string       `json:"startid" ref:"event" doc:"the parent/start ID of the event; lists it and what followed"`
	Type         string       `json:"type" doc:"the event type"`
	Level        string       `json:"level" enum:"INFO,WARN,ERROR" doc:"the event level"`
	State        string       `json:"state" since:"4.21.0" enum:"Created,Scheduled,Started,Completed" doc:"the state of the events"`
	StartDate    command.Date `json:"startdate" doc:"the start date range of the list you want to retrieve"`
	EndDate      command.Date `json:"enddate" day:"end" doc:"the end date range of the list you want to retrieve"`
	ResourceType string       `json:"resourcetype" doc:"the type of the resource associated with the event"`
	ResourceID   string       `json:"resourceid" doc:"the ID of the resource associated with the event"`
	Archived     bool         `json:"archived" doc:"true to list archived events otherwise false"`
	Duration     *int         `json:"duration" min:"0" doc:"with entrytime: operations begun longer ago than that many seconds that are not over"`
	EntryTime    *int         `json:"entrytime" min:"1" doc:"with duration: begun at most that many seconds ago"`
}

// Check: what never ended is asked for by both times.
func (q *listEventsRequest) Check(context.Context) error {
	switch {
	case q.Duration != nil && q.EntryTime == nil:
		return fault.Param("entrytime", "error.event_times", "other", "duration")
	case q.Duration == nil && q.EntryTime != nil:
		return fault.Param("duration", "error.event_times", "other", "entrytime")
	case q.Duration != nil && *q.EntryTime <= *q.Duration:
		return fault.Param("entrytime", "error.event_entrytime")
	}
	return nil
}

func (s *Service) listEvents() *command.Command {
	return command.New(command.Meta{
		Name: "listEvents", Object: "event", Roles: command.Everyone, Doc: "A command to list events.",
	}, func(ctx context.Context, q listEventsRequest) (out command.List[EventView], err error) {
		rows := s.DB.In(ctx).Model(&event.Row{})
		if rows, err = q.Apply(ctx, rows, q.ID); err != nil {
			return out, err
		}
		rows = q.pending(q.narrow(rows), s.DB.Now())
		page, count, err := command.Newest[event.Row](q.Search(rows, "type", "level", "resource_name"), q.Paging, s.marks)
		if err != nil {
			return out, err
		}
		names, err := s.namesOf(ctx, page)
		return command.ListOf(page, count, func(r event.Row) EventView { return names.event(r) }), err
	})
}

func (q listEventsRequest) narrow(rows *gorm.DB) *gorm.DB {
	rows = command.Equal(rows, "id", q.ID)
	rows = command.Equal(rows, "type", q.Type)
	rows = command.Equal(rows, "level", q.Level)
	rows = command.Equal(rows, "state", q.State)
	rows = command.Equal(rows, "resource_id", q.ResourceID)
	rows = command.Named(rows, "resource_type", q.ResourceType)
	if q.StartID != "" {
		rows = rows.Where("id = ? OR start_id = ?", q.StartID, q.StartID)
	}
	switch {
	case q.ID != "":
	case q.ResourceID != "" || q.StartID != "":
		// Not by the index of all that is archived or not: these name few.
		rows = rows.Where("archived + 0 = ?", q.Archived)
	default:
		rows = rows.Where("archived = ?", q.Archived)
	}
	return between(rows, q.StartDate, q.EndDate)
}

// pending narrows to operations that began in a window of time and are not
// over: those are asked for to find what hangs.
func (q listEventsRequest) pending(rows *gorm.DB, now time.Time) *gorm.DB {
	if q.Duration == nil {
		return rows
	}
	ago := func(seconds int) time.Time { return now.Add(-time.Duration(seconds) * time.Second) }
	return rows.Where("created_at BETWEEN ? AND ? AND start_id = '' AND state <> ?", ago(*q.EntryTime), ago(*q.Duration), event.Completed).
		Where("NOT EXISTS (SELECT 1 FROM events ends WHERE ends.start_id = events.id AND ends.state = ?)", event.Completed)
}

func between(rows *gorm.DB, from, to command.Date) *gorm.DB {
	if !from.IsZero() {
		rows = rows.Where("created_at >= ?", from.Time)
	}
	if !to.IsZero() {
		rows = rows.Where("created_at <= ?", to.Time)
	}
	return rows
}

func (l *labels) event(r event.Row) EventView {
	domain, path := l.domain(r.DomainID)
	user := r.Username
	if user == "" {
		user = l.user(r.UserID)
	}
	v := EventView{
		ID: r.ID, Archived: r.Archived, Created: command.Time{Time: r.CreatedAt},
		Description: r.Text(l.ctx), Domain: domain, DomainID: r.DomainID, DomainPath: path, Level: r.Level, ParentID: r.StartID,
		ResourceID: r.ResourceID, ResourceName: r.ResourceName, ResourceType: r.ResourceType, State: r.State, Type: r.Type, Username: user,
	}
	if v.Project = l.project(r.AccountID); v.Project != "" {
		v.ProjectID = r.AccountID
	} else {
		v.Account = l.account(r.AccountID)
	}
	return v
}

// selection is what archive and delete commands name their rows by.
type selection struct {
	IDs       []string     `json:"ids" doc:"the IDs"`
	Type      string       `json:"type" doc:"only those of this type"`
	StartDate command.Date `json:"startdate" doc:"start date range (including)"`
	EndDate   command.Date `json:"enddate" day:"end" doc:"end date range (including)"`
}

// Check refuses a selection of everything.
func (q *selection) Check(context.Context) error {
	if len(q.IDs) == 0 && q.Type == "" && q.StartDate.IsZero() && q.EndDate.IsZero() {
		return fault.Param("ids", "error.selection_empty")
	}
	return nil
}

// narrow selects by all that is given; typed are the columns that Type fits.
func (q selection) narrow(rows *gorm.DB) *gorm.DB {
	if len(q.IDs) > 0 {
		rows = rows.Where("id IN ?", q.IDs)
	}
	return between(rows, q.StartDate, q.EndDate)
}

// whole fails unless every id was the caller's: one foreign id refuses all.
func (q selection) whole(found int64) error {
	ids := slices.Clone(q.IDs)
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n > 0 && found != int64(n) {
		return fault.Param("ids", "error.selection_foreign")
	}
	return nil
}

func (s *Service) archiveEvents() *command.Command {
	return s.onEvents("archiveEvents", "EVENT.ARCHIVE", "Archive one or more events.", func(rows *gorm.DB) *gorm.DB {
		return rows.Update("archived", true)
	})
}

func (s *Service) deleteEvents() *command.Command {
	return s.onEvents("deleteEvents", "EVENT.DELETE", "Delete one or more events.", func(rows *gorm.DB) *gorm.DB {
		return rows.Delete(&event.Row{})
	})
}

func (s *Service) onEvents(name, kind, doc string, do func(*gorm.DB) *gorm.DB) *command.Command {
	return command.New(command.Meta{Name: name, Event: kind, Roles: command.Everyone, Doc: doc},
		func(ctx context.Context, q selection) (command.Success, error) {
			res := do(command.Equal(q.narrow(s.DB.In(ctx).Model(&event.Row{})), "type", q.Type))
			if res.Error != nil {
				return command.Success{}, res.Error
			}
			return command.OK, q.whole(res.RowsAffected)
		})
}

// EventType is one kind of events.
type EventType struct {
	Name string `json:"name" doc:"Event Type"`
}

func (s *Service) listEventTypes() *command.Command {
	return command.New(command.Meta{
		Name: "listEventTypes", Object: "eventtype", Roles: command.Everyone, Doc: "List Event Types",
	}, func(ctx context.Context, _ command.None) (out command.List[EventType], err error) {
		types := slices.Clone(event.Observed)
		for _, c := range s.Registry.All() {
			if _, err := s.Registry.Find(ctx, c.Name); err == nil && c.Event != "" {
				types = append(types, c.Event)
			}
		}
		slices.Sort(types)
		types = slices.Compact(types)
		return command.ListOf(types, len(types), func(t string) EventType { return EventType{t} }), nil
	})
}
