package job

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// JSON is a column of JSON text; nil is NULL.
type JSON json.RawMessage

// Value writes text, which both databases can show and search.
func (j JSON) Value() (driver.Value, error) {
	if j == nil {
		return nil, nil
	}
	return string(j), nil
}

// Scan reads what either driver gives.
func (j *JSON) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*j = nil
	case string:
		*j = JSON(v)
	case []byte:
		*j = append(JSON{}, v...)
	default:
		return fmt.Errorf("job: %T is no JSON", v)
	}
	return nil
}

// MarshalJSON puts the text in place.
func (j JSON) MarshalJSON() ([]byte, error) { return json.RawMessage(j).MarshalJSON() }

// UnmarshalJSON keeps the text.
func (j *JSON) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(j).UnmarshalJSON(b) }

// GormDataType says that it is a column and not a relation.
func (JSON) GormDataType() string { return "text" }
