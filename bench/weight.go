package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tiktoken-go/tokenizer"
)

// takeWeights takes what does not change from round to round: how large the
// servers are, and how many tokens (OpenAI's o200k_base) a model reads.
func (r *results) takeWeights(ctx context.Context) error {
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		return fmt.Errorf("load the tokenizer: %w", err)
	}
	for _, c := range r.contestants {
		r.add(installedMegabytes, c, megabytes(float64(c.size)))
		seen, err := see(ctx, c)
		if err != nil {
			return err
		}
		for f, text := range map[figure]string{definitionTokens: seen.definitions, textTokens: seen.text, structuredTokens: seen.structured} {
			if text == "" {
				continue
			}
			tokens, err := codec.Count(text)
			if err != nil {
				return fmt.Errorf("count tokens: %w", err)
			}
			r.add(f, c, float64(tokens))
		}
	}
	return nil
}

// seen is what a model sees of a server.
type seen struct {
	definitions string // of all tools: name, description, input schema
	text        string // of a portrait
	structured  string // of the same portrait; empty where there is none
}

func see(ctx context.Context, c contestant) (seen, error) {
	p, err := c.start(ctx, c.stored)
	if err != nil {
		return seen{}, err
	}
	if err := p.send(hello, ready, list); err != nil {
		return seen{}, err
	}
	offered, err := p.expect(listed)
	if err != nil {
		return seen{}, err
	}
	if err := p.send(storedCall(2)); err != nil {
		return seen{}, err
	}
	answer, err := p.expect(told)
	if err != nil {
		return seen{}, err
	}
	if _, err := p.end(); err != nil {
		return seen{}, err
	}
	return decodeSeen(offered, answer)
}

func decodeSeen(offered, answer string) (seen, error) {
	var definitions struct {
		Result struct {
			Tools []struct {
				Name        string          `json:"name"`
				Description string          `json:"description"`
				InputSchema json.RawMessage `json:"inputSchema"`
			} `json:"tools"`
		} `json:"result"`
	}
	if err := json.Unmarshal([]byte(offered), &definitions); err != nil {
		return seen{}, fmt.Errorf("read the list of tools: %w", err)
	}
	var s seen
	for _, tool := range definitions.Result.Tools {
		text, err := json.Marshal(tool)
		if err != nil {
			return seen{}, err
		}
		s.definitions += string(text)
	}
	var portrait struct {
		Result struct {
			Content           []struct{ Text string }
			StructuredContent json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(answer), &portrait); err != nil {
		return seen{}, fmt.Errorf("read the portrait: %w", err)
	}
	for _, block := range portrait.Result.Content {
		s.text += block.Text
	}
	s.structured = string(portrait.Result.StructuredContent)
	return s, nil
}
