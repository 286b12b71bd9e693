package reprieve

import "testing"

type patient struct {
	Retries uint32         `json:"retries"`
	Minutes *uint32        `json:"minutes"`
	Classes []FailureClass `json:"classes"`
	Jitter  Jitter         `json:"jitter"`
}

func (p *patient) Check() error { return nil }

func TestSettingsReplaceDefaultsAndLeaveTheRest(t *testing.T) {
	policy := &patient{Retries: 5, Classes: []FailureClass{ClassHang, ClassCrash}, Jitter: NoJitter}
	if err := Configure(policy, `{"minutes": 3, "classes": ["network"]}`); err != nil {
		t.Fatal(err)
	}
	if policy.Retries != 5 || *policy.Minutes != 3 || len(policy.Classes) != 1 || policy.Classes[0] != ClassNetwork {
		t.Errorf("read %+v", policy)
	}
}

func TestSettingsThatAreWrongAreRefusedByName(t *testing.T) {
	for settings, refusal := range map[string]string{
		`{"retrys": 1}`:            "unknown setting `retrys`, expected one of `retries`, `minutes`, `classes`, `jitter`",
		`{"Retries": 1}`:           "unknown setting `Retries`, expected one of `retries`, `minutes`, `classes`, `jitter`",
		`{"retries": -1}`:          "`retries`: expected uint32, was given number -1",
		`{"retries": null}`:        "`retries`: expected uint32, was given null",
		`{"minutes": 1.5}`:         "`minutes`: expected uint32, was given number 1.5",
		`{"classes": ["netwerk"]}`: "`classes`: `netwerk` is no failure class",
		`{"jitter": "some"}`:       "`jitter`: `some` is no jitter, expected `none`, `full`, `equal` or `decorrelated`",
	} {
		if err := Configure(&patient{}, settings); err == nil || err.Error() != refusal {
			t.Errorf("%s: %v", settings, err)
		}
	}
}

func TestAPolicyWithoutSettingsTakesAnEmptyObjectOnly(t *testing.T) {
	if err := Configure(struct{}{}, "{}"); err != nil {
		t.Error(err)
	}
	for _, settings := range []string{"", "null", "3", "[", `{"retries": 3}`} {
		if Configure(struct{}{}, settings) == nil {
			t.Errorf("`%s` passed", settings)
		}
	}
}
