package schema

import (
	"encoding/json"
	"time"
)

// Collected is one portrait as it came from the upstream, checked and typed
// but not yet interpreted.
type Collected struct {
	KOLID         string
	AsOf          string          // the upstream's dateKey, YYYY-MM-DD; empty where it gave none
	Data          json.RawMessage // the upstream's data, byte for byte
	Distributions Distributions   // the same, decoded and checked
	Source        Source
}

// Source tells where a portrait came from and what it cost.
type Source struct {
	Endpoint    Endpoint    `json:"endpoint" jsonschema:"enum=portrait,enum=profile" jsonschema_description:"portrait (V1) or profile (its successor)"`
	Deprecated  bool        `json:"deprecated" jsonschema_description:"Whether the vendor calls that endpoint deprecated"`
	Environment Environment `json:"environment" jsonschema:"enum=global,enum=cn,enum=sample"`
	RetrievedAt time.Time   `json:"retrievedAt" jsonschema_description:"When the vendor answered"`
	FromStore   bool        `json:"fromStore" jsonschema_description:"Answered from this server's store, at no cost"`
	Charged     bool        `json:"charged" jsonschema_description:"Whether this answer cost one charged vendor call"`
	Sample      bool        `json:"sample" jsonschema_description:"True: simulated data that says nothing about a real KOL"`
	RequestID   string      `json:"requestId,omitempty" jsonschema_description:"The vendor's id of the request, for its support"`
}

// Endpoint is one of the vendor's two ways to ask for a portrait.
type Endpoint string

// The vendor's endpoints.
const (
	EndpointPortrait Endpoint = "portrait" // get-kol-fans-portrait V1, deprecated
	EndpointProfile  Endpoint = "profile"  // fans_profile V1, its successor
)

// Deprecated reports whether the vendor calls the endpoint deprecated, as its
// page says of V1.
func (e Endpoint) Deprecated() bool { return e == EndpointPortrait }

// EndpointPolicy tells which of the vendor's endpoints may be asked.
type EndpointPolicy string

// The endpoint policies.
const (
	PolicyPortrait EndpointPolicy = "portrait" // V1 alone
	PolicyProfile  EndpointPolicy = "profile"  // the successor alone
	PolicyAuto     EndpointPolicy = "auto"     // V1, and the successor where V1 is gone or cannot collect
)

// Environment is the upstream that a server talks to.
type Environment string

// The environments.
const (
	EnvironmentGlobal Environment = "global" // the vendor's international address, HTTPS
	EnvironmentCN     Environment = "cn"     // the vendor's address in mainland China, plain HTTP
	EnvironmentSample Environment = "sample" // the simulated vendor inside this process
)
