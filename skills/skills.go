// Package skills holds what teaches an agent to work with the server's tools.
package skills

import _ "embed"

//go:embed kol-audience-fit/SKILL.md
var audienceFit string

// AudienceFit returns the skill kol-audience-fit, which leads an agent from a brief to
// a shortlist: Markdown with the front matter of Agent Skills, in English.
func AudienceFit() string { return audienceFit }
