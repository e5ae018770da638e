package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // CloudStack's signature
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// caller calls the API with signed requests, as CloudStack's clients do.
type caller struct {
	base, key, secret string
	http              *http.Client
}

// accepted is the answer to a command that is done by a job.
type accepted struct {
	ID    string `json:"id"`
	JobID string `json:"jobid"`
}

func (c *caller) query(name string, args ...string) string {
	v := url.Values{"command": {name}, "response": {"json"}, "apiKey": {c.key}}
	for i := 0; i+1 < len(args); i += 2 {
		v.Set(args[i], args[i+1])
	}
	var names []string
	for k := range v {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	var parts []string
	for _, k := range names {
		parts = append(parts, k+"="+strings.ReplaceAll(url.QueryEscape(v.Get(k)), "+", "%20"))
	}
	text := strings.Join(parts, "&")
	mac := hmac.New(sha1.New, []byte(c.secret))
	_, _ = mac.Write([]byte(strings.ToLower(text)))
	return text + "&signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// get returns the whole body and how long the last byte took.
func (c *caller) get(ctx context.Context, name string, args ...string) ([]byte, time.Duration, error) {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"?"+c.query(name, args...), nil)
	if err != nil {
		return nil, 0, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	took := time.Since(began)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.300s", name, resp.Status, body)
	}
	return body, took, err
}

// decode reads what is inside of the answer's envelope.
func (c *caller) decode(ctx context.Context, into any, name string, args ...string) error {
	body, _, err := c.get(ctx, name, args...)
	if err != nil {
		return err
	}
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal(body, &envelope); err != nil {
		return fmt.Errorf("%s: %w: %.300s", name, err, body)
	}
	for _, inside := range envelope {
		return json.Unmarshal(inside, into)
	}
	return fmt.Errorf("%s: an empty answer", name)
}
