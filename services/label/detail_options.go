package label

import (
	"context"
	"strings"

	"aerie/services/command"
)

// OptionsRequest asks which details mean something.
type OptionsRequest struct {
	Type       string `json:"resourcetype" required:"true" doc:"the type of the resource, such as UserVm"`
	ResourceID string `json:"resourceid" doc:"the resource, which must be there"`
}

// OptionsView are details with the values they may have, divided by commas;
// without a value any will do.
type OptionsView struct {
	Details map[string]string `json:"details" doc:"the details and their values"`
}

func (s *Service) detailOptionsCommand() *command.Command {
	return command.New(command.Meta{
		Name: "listDetailOptions", Object: "detailoptions", Roles: command.Everyone, Doc: "Lists the details that mean something for a type of resource",
	}, func(ctx context.Context, r OptionsRequest) (OptionsView, error) {
		k, err := s.kind("resourcetype", r.Type, Details)
		if err != nil {
			return OptionsView{}, err
		}
		if r.ResourceID != "" {
			if _, err := s.find(ctx, k, "resourceid", r.ResourceID); err != nil {
				return OptionsView{}, err
			}
		}
		out := OptionsView{Details: map[string]string{}}
		for key, values := range k.Options {
			out.Details[key] = strings.Join(values, ",")
		}
		return out, nil
	})
}
