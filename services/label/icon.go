package label

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	_ "image/gif" // the formats that icons may have
	_ "image/jpeg"
	_ "image/png"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// Icon is a resource's icon as commands return it.
type Icon struct {
	Image string `json:"base64image" doc:"the image, base64"`
	ID    string `json:"resourceid" doc:"the resource"`
	Type  string `json:"resourcetype" doc:"the type of the resource"`
}

const (
	mostIcon   = 2 << 20 // characters of base64, by CloudStack's contract
	widestIcon = 1024    // pixels, either way
)

// IconRequest names resources.
type IconRequest struct {
	IDs  []string `json:"resourceids" required:"true" doc:"the resources"`
	Type string   `json:"resourcetype" required:"true" doc:"the type of the resources, such as Network"`
}

// UploadIconRequest gives resources an icon.
type UploadIconRequest struct {
	IconRequest
	Image string `json:"base64image" required:"true" max:"2097152" doc:"a PNG, JPEG or GIF of at most 1024×1024 pixels, base64"`
}

func (s *Service) uploadIconCommand() *command.Command {
	return command.NewReady(command.Meta{
		Name: "uploadResourceIcon", Event: "UPLOAD.RESOURCE.ICON", Roles: command.Everyone, Doc: "Gives resources an icon: all or none",
	}, func(_ context.Context, r UploadIconRequest) (picture, error) {
		// Ahead of the transaction: decoding takes its time.
		p, err := readPicture(r.Image)
		p.IconRequest = r.IconRequest
		return p, err
	}, s.setIcon)
}

// picture is an icon that was looked at.
type picture struct {
	IconRequest
	media, image string
}

// readPicture decodes the whole image: what is stored is one, and no script.
func readPicture(text string) (p picture, err error) {
	if len(text) > mostIcon {
		return p, fault.Param("base64image", "error.too_long", "max", mostIcon)
	}
	if head, rest, ok := strings.Cut(text, ";base64,"); ok && strings.HasPrefix(head, "data:") {
		text = rest
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return p, fault.Param("base64image", "error.base64")
	}
	about, format, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return p, fault.Param("base64image", "error.icon_format").Because(err)
	}
	if about.Width > widestIcon || about.Height > widestIcon || about.Width == 0 || about.Height == 0 {
		return p, fault.Param("base64image", "error.icon_size", "max", widestIcon)
	}
	if _, _, err := image.Decode(bytes.NewReader(raw)); err != nil {
		return p, fault.Param("base64image", "error.icon_format").Because(err)
	}
	return picture{media: "image/" + format, image: base64.StdEncoding.EncodeToString(raw)}, nil
}

func (s *Service) setIcon(ctx context.Context, p picture) (command.Success, error) {
	k, list, err := s.iconic(ctx, p.IconRequest)
	if err != nil {
		return command.Success{}, err
	}
	if err := s.dropIcons(ctx, list); err != nil {
		return command.Success{}, err
	}
	for _, f := range list {
		owned, err := store.For(ctx, f.Owner)
		if err != nil {
			return command.Success{}, err
		}
		row := Picture{ResourceID: f.ID, CreatedAt: s.db.Now(), Kind: k.Name, Media: p.media, Image: p.image}
		if err := gorm.G[Picture](s.db.In(owned)).Create(owned, &row); err != nil {
			return command.Success{}, err
		}
	}
	return command.OK, nil
}

func (s *Service) iconic(ctx context.Context, r IconRequest) (Kind, []Found, error) {
	k, err := s.kind("resourcetype", r.Type, Icons)
	if err != nil {
		return k, nil, err
	}
	list, err := s.all(ctx, k, r.IDs)
	about(ctx, k, list...)
	return k, list, err
}

func (s *Service) dropIcons(ctx context.Context, list []Found) error {
	var ids []string
	for _, f := range list {
		ids = append(ids, f.ID)
	}
	return s.db.In(store.System(ctx, "icons of resources that were found")).Where("resource_id IN ?", ids).Delete(&Picture{}).Error
}

func (s *Service) deleteIconCommand() *command.Command {
	return command.New(command.Meta{
		Name: "deleteResourceIcon", Event: "DELETE.RESOURCE.ICON", Roles: command.Everyone, Doc: "Takes the icons from resources",
	}, func(ctx context.Context, r IconRequest) (command.Success, error) {
		_, list, err := s.iconic(ctx, r)
		if err != nil {
			return command.Success{}, err
		}
		return command.OK, s.dropIcons(ctx, list)
	})
}

func (s *Service) listIconsCommand() *command.Command {
	return command.New(command.Meta{
		Name: "listResourceIcon", Object: "resourceicon", Roles: command.Everyone, Doc: "Lists the icons of resources",
	}, s.ListIcons)
}

// ListIcons returns the icons of resources that the actor may see, shared ones
// too; those without one are left out.
func (s *Service) ListIcons(ctx context.Context, r IconRequest) (out command.List[Icon], err error) {
	k, err := s.kind("resourcetype", r.Type, Icons)
	if err != nil {
		return out, err
	}
	for _, id := range r.IDs {
		if _, err := k.Find(ctx, id); err != nil {
			if store.IsAbsent(err) {
				err = fault.Absent("resourceids", id)
			}
			return out, err
		}
	}
	l, err := Of(ctx, s.db, Want{IDs: r.IDs, Icons: true})
	if err != nil {
		return out, err
	}
	for _, id := range r.IDs {
		if icon := l.Icon(id); icon != nil {
			out.Items = append(out.Items, *icon)
		}
	}
	out.Count = len(out.Items)
	return out, nil
}

// Show is embedded by list requests of what has icons.
type Show struct {
	Icon bool `json:"showicon" doc:"true shows the icons"`
}
