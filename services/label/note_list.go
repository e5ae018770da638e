package label

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// NoteView is a comment as commands return it.
type NoteView struct {
	ID         string       `json:"id" doc:"the comment"`
	Text       string       `json:"annotation" doc:"the text of the comment"`
	Type       string       `json:"entitytype" doc:"the type of the resource"`
	EntityID   string       `json:"entityid" doc:"the resource"`
	EntityName string       `json:"entityname" doc:"the name of the resource"`
	UserID     string       `json:"userid" doc:"who wrote it"`
	Username   string       `json:"username" doc:"the name of who wrote it"`
	AdminsOnly bool         `json:"adminsonly" doc:"whether only root administrators see it"`
	Created    command.Time `json:"created" doc:"when it was written"`
	Removed    command.Time `json:"removed" doc:"when it was removed"`
}

// ListNotesRequest asks for comments.
type ListNotesRequest struct {
	command.Paging
	ID       string `json:"id" ref:"annotation" doc:"the comment"`
	Type     string `json:"entitytype" doc:"the type of the resource, with entityid"`
	EntityID string `json:"entityid" doc:"the resource, with entitytype"`
	UserID   string `json:"userid" ref:"user" doc:"comments that the user wrote"`
	Filter   string `json:"annotationfilter" enum:"self,all" doc:"self for the caller's own; all is the default"`
}

func (s *Service) listNotesCommand() *command.Command {
	return command.New(command.Meta{Name: "listAnnotations", Object: "annotation", Roles: command.Everyone, Doc: "Lists comments"}, s.ListNotes)
}

// ListNotes returns a page of comments.
func (s *Service) ListNotes(ctx context.Context, r ListNotesRequest) (out command.List[NoteView], err error) {
	q := readable(ctx, s.db.In(ctx).Model(&Note{}))
	switch {
	case r.EntityID != "" && r.Type == "":
		return out, fault.Param("entitytype", "error.required")
	case r.Type != "":
		k, err := s.kind("entitytype", r.Type, 0)
		if err != nil {
			return out, err
		}
		q = q.Where("kind = ?", k.Entity)
	}
	q = command.Equal(command.Equal(command.Equal(q, "id", r.ID), "resource_id", r.EntityID), "user_id", r.UserID)
	if actor, _ := store.From(ctx); r.Filter == "self" {
		q = q.Where("user_id = ?", actor.UserID)
	}
	rows, n, err := command.Rows[Note](r.Search(q, "text"), r.Paging, "created_at DESC, id DESC")
	if err != nil {
		return out, err
	}
	views, err := s.noteViews(ctx, rows)
	return command.List[NoteView]{Count: n, Items: views}, err
}

// readable hides from all but root administrators what is for them alone.
func readable(ctx context.Context, q *gorm.DB) *gorm.DB {
	if isRoot(ctx) {
		return q
	}
	return q.Where("admins_only = ?", false)
}

func (s *Service) noteView(ctx context.Context, n Note) (NoteView, error) {
	views, err := s.noteViews(ctx, []Note{n})
	if err != nil {
		return NoteView{}, err
	}
	return views[0], nil
}

func (s *Service) noteViews(ctx context.Context, rows []Note) ([]NoteView, error) {
	of := map[string][]string{}
	var users []string
	for _, n := range rows {
		of[n.Kind], users = append(of[n.Kind], n.ResourceID), append(users, n.UserID)
	}
	some := []store.Some{{Model: &iam.User{}, IDs: users, Name: "username"}}
	for _, k := range s.kinds {
		if ids := of[k.Entity]; k.Entity != "" && len(ids) > 0 {
			some = append(some, store.Some{Model: k.Model, IDs: ids, Name: k.Column})
		}
	}
	names, err := store.NamesOf(ctx, s.db, some...)
	out := make([]NoteView, len(rows))
	for i, n := range rows {
		out[i] = NoteView{
			ID: n.ID, Text: n.Text, Type: n.Kind, EntityID: n.ResourceID, EntityName: names[n.ResourceID], UserID: n.UserID,
			Username: names[n.UserID], AdminsOnly: n.AdminsOnly, Created: command.Time{Time: n.CreatedAt},
		}
		if n.RemovedAt.Valid {
			out[i].Removed = command.Time{Time: n.RemovedAt.Time}
		}
	}
	return out, err
}
