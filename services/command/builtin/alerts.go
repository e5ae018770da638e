package builtin

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/event"
)

// AlertView is an alert as the API shows it.
type AlertView struct {
	ID          string       `json:"id" doc:"the id of the alert"`
	Type        int16        `json:"type" doc:"the alert type"`
	Name        string       `json:"name" doc:"the name of the alert"`
	Description string       `json:"description" doc:"description of the alert"`
	Sent        command.Time `json:"sent" doc:"the date and time the alert was sent"`
}

type listAlertsRequest struct {
	command.Paging
	ID   string `json:"id" ref:"alert" doc:"the ID of the alert"`
	Name string `json:"name" doc:"list by alert name"`
	Type string `json:"type" doc:"list by alert type"`
}

func (s *Service) listAlerts() *command.Command {
	return command.New(command.Meta{
		Name: "listAlerts", Object: "alert", Roles: command.Admin, Doc: "Lists all alerts.",
	}, func(ctx context.Context, q listAlertsRequest) (command.List[AlertView], error) {
		rows := s.DB.In(ctx).Model(&event.AlertRow{})
		rows = ofType(command.Named(command.Equal(rows, "id", q.ID), "name", q.Name), q.Type)
		if q.ID == "" {
			rows = rows.Where("archived = ?", false)
		}
		page, count, err := command.Newest[event.AlertRow](q.Search(rows, "name", "subject"), q.Paging, s.marks)
		return command.ListOf(page, count, func(r event.AlertRow) AlertView {
			return AlertView{ID: r.ID, Type: r.Type, Name: r.Name, Description: r.Text(ctx), Sent: command.Time{Time: r.CreatedAt}}
		}), err
	})
}

// ofType takes an alert's number or its name.
func ofType(rows *gorm.DB, t string) *gorm.DB {
	if n, err := strconv.Atoi(t); err == nil {
		return rows.Where("type = ?", n)
	}
	return command.Named(rows, "name", t)
}

func (s *Service) archiveAlerts() *command.Command {
	return s.onAlerts("archiveAlerts", "ALERT.ARCHIVE", "Archive one or more alerts.", func(rows *gorm.DB) *gorm.DB {
		return rows.Update("archived", true)
	})
}

// deleteAlerts ends what stands, too: trouble that lasts is raised anew.
func (s *Service) deleteAlerts() *command.Command {
	return s.onAlerts("deleteAlerts", "ALERT.DELETE", "Delete one or more alerts.", func(rows *gorm.DB) *gorm.DB {
		return rows.Delete(&event.AlertRow{})
	})
}

func (s *Service) onAlerts(name, kind, doc string, do func(*gorm.DB) *gorm.DB) *command.Command {
	return command.New(command.Meta{Name: name, Event: kind, Roles: command.Admin, Doc: doc},
		func(ctx context.Context, q selection) (command.Success, error) {
			res := do(ofType(q.narrow(s.DB.In(ctx).Model(&event.AlertRow{})), q.Type))
			if res.Error != nil {
				return command.Success{}, res.Error
			}
			return command.OK, q.whole(res.RowsAffected)
		})
}
