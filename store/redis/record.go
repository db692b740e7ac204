package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// header is what a record says about its data. Fields that a later version
// adds are skipped.
type header struct {
	ID          string             `json:"id"` // first: it decides the order of records of one moment
	KOLID       string             `json:"kolId"`
	AsOf        string             `json:"asOf,omitempty"`
	RetrievedAt int64              `json:"retrievedAt"` // milliseconds since 1970
	Endpoint    schema.Endpoint    `json:"endpoint"`
	Environment schema.Environment `json:"environment"`
	Sample      bool               `json:"sample,omitempty"`
	RequestID   string             `json:"requestId,omitempty"`
}

var errForeign = errors.New("not a portrait of this KOL; something else writes to this key")

// encode returns the record of a portrait: a line of JSON, and behind it the
// data as it is.
func encode(p store.Portrait) (string, error) {
	head, err := json.Marshal(header{
		ID: p.ID, KOLID: p.KOLID, AsOf: p.AsOf, RetrievedAt: p.RetrievedAt.UnixMilli(),
		Endpoint: p.Endpoint, Environment: p.Environment, Sample: p.Sample, RequestID: p.RequestID,
	})
	if err != nil {
		return "", fmt.Errorf("redis: encode portrait: %w", err)
	}
	return string(head) + "\n" + string(p.Data), nil
}

// decode reads a record. The error quotes nothing of it.
func decode(kolID, record string) (*store.Portrait, error) {
	head, data, ok := strings.Cut(record, "\n")
	var h header
	if !ok || json.Unmarshal([]byte(head), &h) != nil || h.ID == "" || h.KOLID != kolID {
		return nil, errForeign
	}
	return &store.Portrait{
		ID: h.ID, KOLID: h.KOLID, AsOf: h.AsOf, RetrievedAt: time.UnixMilli(h.RetrievedAt).UTC(),
		Endpoint: h.Endpoint, Environment: h.Environment, Sample: h.Sample, RequestID: h.RequestID,
		Data: json.RawMessage(data),
	}, nil
}
