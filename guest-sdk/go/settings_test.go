package reprieve

import "testing"

type patient struct {
	Retries uint32         `json:"retries"`
	Minutes *uint32        `json:"minutes"`
	Classes []FailureClass `json:"classes"`
	Jitter  Jitter         `json:"jitter"`
	Seconds float64        `json:"seconds"`
	Offset  int            `json:"offset" min:"-5" about:"How far off."`
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
		`{"retrys": 1}`:            "unknown setting `retrys`, expected one of `retries`, `minutes`, `classes`, `jitter`, `seconds`, `offset`",
		`{"Retries": 1}`:           "unknown setting `Retries`, expected one of `retries`, `minutes`, `classes`, `jitter`, `seconds`, `offset`",
		`{"retries": -1}`:          "`retries`: `-1`, expected a whole number from 0 to 4294967295",
		`{"retries": null}`:        "`retries`: `null`, expected a whole number from 0 to 4294967295",
		`{"minutes": 1.5}`:         "`minutes`: `1.5`, expected a whole number from 0 to 4294967295, or null",
		`{"classes": ["netwerk"]}`: "`classes`: `netwerk` is no failure class",
		`{"jitter": "some"}`:       "`jitter`: `some` is no jitter, expected `none`, `full`, `equal` or `decorrelated`",
		`{"seconds": -0.5}`:        "`seconds`: `-0.5`, expected a number, 0 or more",
		`{"seconds": "1"}`:         "`seconds`: `\"1\"`, expected a number, 0 or more",
		`{"offset": -6}`:           "`offset`: `-6`, expected a whole number, -5 or more",
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

func TestTheSchemaTellsTypesBoundsAndDefaults(t *testing.T) {
	type settings struct {
		Offset int      `json:"offset" min:"-5" about:"How far off."`
		Most   *float64 `json:"most"`
	}
	schema := `{"additionalProperties":false,"properties":{` +
		`"most":{"anyOf":[{"minimum":0,"type":"number"},{"type":"null"}],"default":null},` +
		`"offset":{"default":-1,"description":"How far off.","minimum":-5,"type":"integer"}},"type":"object"}`
	if told := Schema(&settings{Offset: -1}); told != schema {
		t.Error(told)
	}
	if told := Schema(struct{}{}); told != "" {
		t.Error(told)
	}
}
