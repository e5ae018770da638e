package builtin

import (
	"context"
	"strings"

	"aerie/services/command"
	"aerie/services/fault"
)

type listApisRequest struct {
	Name string `json:"name" doc:"API name"`
}

func (s *Service) listApis() *command.Command {
	return command.New(command.Meta{
		Name: "listApis", Object: "api", Roles: command.Everyone, Since: "4.1.0",
		Doc: "lists all available apis on the server, provided by the Api Discovery plugin",
	}, func(ctx context.Context, q listApisRequest) (command.List[command.API], error) {
		all := s.Registry.Describe(ctx)
		if q.Name == "" {
			return command.List[command.API]{Count: len(all), Items: all}, nil
		}
		for _, a := range all {
			if strings.EqualFold(a.Name, q.Name) {
				return command.List[command.API]{Count: 1, Items: []command.API{a}}, nil
			}
		}
		return command.List[command.API]{}, fault.Param("name", "error.command", "command", q.Name)
	})
}
