package builtin

import (
	"context"
	"strings"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/job"
)

type generateAlertRequest struct {
	Description string `json:"description" required:"true" max:"999" doc:"what happened"`
	Name        string `json:"name" required:"true" doc:"the name of the kind of alert, such as ALERT.MEMORY"`
	Type        int    `json:"type" type:"short" required:"true" min:"0" max:"32767" doc:"the number of the kind of alert"`
	ZoneID      string `json:"zoneid" ref:"zone" doc:"the zone it is about"`
	PodID       string `json:"podid" ref:"pod" doc:"the pod it is about"`
}

// kind refuses the name of another kind than the number's. Numbers that no kind
// has are the caller's own.
func (q generateAlertRequest) kind() (event.Kind, error) {
	for _, k := range event.Kinds() {
		sameName, sameNumber := strings.EqualFold(k.Name, q.Name), int(k.Number) == q.Type
		if sameName && !sameNumber {
			return k, fault.Param("type", "error.alert_type", "name", k.Name, "number", k.Number)
		}
		if sameNumber && !sameName {
			return k, fault.Param("name", "error.alert_name", "name", k.Name, "number", k.Number)
		}
		if sameName {
			return k, nil
		}
	}
	if len(q.Name) > 64 {
		return event.Kind{}, fault.Param("name", "error.too_long", "max", 64)
	}
	return event.Kind{Number: int16(q.Type), Name: q.Name}, nil // max:"32767"
}

// alarm is the state of the job that writes an alert.
type alarm struct {
	ID, Name, Text, ZoneID, PodID string
	Number                        int16
}

func (s *Service) generateAlert() *command.Command {
	return command.Async(command.Meta{Name: "generateAlert", Event: "ALERT.GENERATE", Roles: command.Admin, Since: "4.3", Doc: "Generates an alert"},
		func(_ context.Context, q generateAlertRequest) (job.Spec, error) {
			k, err := q.kind()
			id := s.DB.NewID()
			return job.Spec{
				Kind: "alert.generate", Object: "alert", ObjectID: id, ObjectName: k.Name,
				State: alarm{ID: id, Name: k.Name, Number: k.Number, Text: q.Description, ZoneID: q.ZoneID, PodID: q.PodID},
			}, err
		}, func(context.Context, string) (command.Success, error) { return command.OK, nil })
}

func (s *Service) generate(ctx context.Context, a *alarm) error {
	return event.Generate(ctx, s.DB, a.ID, event.Alert{
		Kind: event.Kind{Number: a.Number, Name: a.Name}, Subject: a.ID, Message: "alert.generated", Args: []any{"text", a.Text}, ZoneID: a.ZoneID, PodID: a.PodID,
	})
}

// AlertType is one kind of alerts. Description and Sent are empty: the type is
// no alert.
type AlertType struct {
	ID          string       `json:"id" doc:"the number of the kind of alert"`
	Type        int16        `json:"type" doc:"the number of the kind of alert"`
	Name        string       `json:"name" doc:"the name of the kind of alert"`
	Description string       `json:"description" doc:"description of the alert"`
	Sent        command.Time `json:"sent" doc:"the date and time the alert was sent"`
}

func (s *Service) listAlertTypes() *command.Command {
	return command.New(command.Meta{Name: "listAlertTypes", Object: "alerttype", Roles: command.Admin, Doc: "Lists all alerts types"},
		func(context.Context, command.None) (command.List[AlertType], error) {
			kinds := event.Kinds()
			return command.ListOf(kinds, len(kinds), func(k event.Kind) AlertType {
				return AlertType{Type: k.Number, Name: k.Name}
			}), nil
		})
}
