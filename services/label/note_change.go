package label

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// NoteRequest names a comment.
type NoteRequest struct {
	ID string `json:"id" ref:"annotation" type:"string" required:"true" doc:"the comment"`
}

func (s *Service) removeNoteCommand() *command.Command {
	return command.New(command.Meta{
		Name: "removeAnnotation", Object: "annotation", Event: "ANNOTATION.REMOVE", Roles: command.Everyone, Doc: "Removes a comment of one's own; root administrators any",
	}, func(ctx context.Context, r NoteRequest) (NoteView, error) {
		n, err := s.note(ctx, r.ID)
		if err != nil {
			return NoteView{}, err
		}
		if actor, _ := store.From(ctx); n.UserID != actor.UserID && !isRoot(ctx) {
			return NoteView{}, fault.New(fault.Forbidden, "error.annotation_author")
		}
		if err := s.db.In(ctx).Where("id = ?", n.ID).Delete(&Note{}).Error; err != nil {
			return NoteView{}, err
		}
		n.RemovedAt = gorm.DeletedAt{Time: s.db.Now(), Valid: true}
		return s.noteView(ctx, n)
	})
}

// note finds a comment that the actor may read.
func (s *Service) note(ctx context.Context, id string) (Note, error) {
	var n Note
	err := readable(ctx, s.db.In(ctx)).Where("id = ?", id).Take(&n).Error
	if store.IsAbsent(err) {
		err = fault.Absent("id", id)
	}
	return n, err
}

// ShowNoteRequest changes who reads a comment.
type ShowNoteRequest struct {
	ID         string `json:"id" ref:"annotation" type:"string" required:"true" doc:"the comment"`
	AdminsOnly *bool  `json:"adminsonly" required:"true" doc:"whether only root administrators see it"`
}

func (s *Service) showNoteCommand() *command.Command {
	return command.New(command.Meta{
		Name: "updateAnnotationVisibility", Object: "annotation", Event: "ANNOTATION.UPDATE", Roles: command.Admin, Doc: "Changes who reads a comment",
	}, func(ctx context.Context, r ShowNoteRequest) (NoteView, error) {
		n, err := s.note(ctx, r.ID)
		if err != nil {
			return NoteView{}, err
		}
		command.Changed(ctx, map[string]any{"adminsonly": n.AdminsOnly}, map[string]any{"adminsonly": *r.AdminsOnly})
		n.AdminsOnly = *r.AdminsOnly
		if _, err := gorm.G[Note](s.db.In(ctx)).Where("id = ?", n.ID).Update(ctx, "admins_only", n.AdminsOnly); err != nil {
			return NoteView{}, err
		}
		return s.noteView(ctx, n)
	})
}
