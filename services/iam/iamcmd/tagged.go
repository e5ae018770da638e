package iamcmd

import (
	"context"
	"fmt"

	"aerie/services/iam"
)

// taggedTexts words limits with tags as lists of accounts and domains have
// them: texts, for the API knows no more; listResourceLimits has fields.
func taggedTexts(list []iam.Limit, tag string) (out []string) {
	for _, l := range list {
		if tag == "" || tag == l.Tag {
			out = append(out, fmt.Sprintf("resourcetype=%s,tag=%s,limit=%s,total=%d,available=%s",
				l.Kind, l.Tag, orUnlimited(l.Max), l.Shown(), orUnlimited(l.Available())))
		}
	}
	return out
}

type tagged struct{}

// withTag notes the one tag that a list was asked for.
func withTag(ctx context.Context, tag string) context.Context {
	return context.WithValue(ctx, tagged{}, tag)
}

func tagOf(ctx context.Context) string {
	tag, _ := ctx.Value(tagged{}).(string)
	return tag
}
