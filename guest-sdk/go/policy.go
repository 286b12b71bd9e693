// Package reprieve is for writing Reprieve policies in Go: what follows a
// failed GPU experiment.
//
// A policy is an ordinary type with a method [Decider.Decide], [Planner.Plan],
// or both. One of the packages retryonly, cleanuponly and policy makes a
// component's exports of it. The same code runs in ordinary unit tests. A
// policy remembers nothing between calls, and does no work: it answers, and the
// host waits, places and cleans.
package reprieve

import "reprieve/cleanup"

// Info says who a policy is.
type Info struct {
	// Name is what people call it.
	Name string
	// Version is the policy's own, not the contract's.
	Version string
	// Summary is one line for people.
	Summary string
	// SettingsSchema is a JSON Schema of the settings; empty for the one that [Schema] makes.
	SettingsSchema string
}

// A Decider decides what follows an attempt.
type Decider interface {
	// Decide judges the newest attempt, attempts.Last(). Successes are judged too.
	Decide(experiment Experiment, attempts Attempts, progress Progress) Decision
}

// A Planner plans the cleanup around attempts.
type Planner interface {
	// Plan returns the steps to run, in order: after this attempt, or before
	// one where it is nil.
	Plan(experiment Experiment, after *Attempt) []cleanup.Step
}
