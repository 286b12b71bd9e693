package reprieve

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// Schema is a JSON Schema of a policy's settings as they are, which are the
// defaults: the names, types, `min` and `about` tags of its fields. It is empty
// where there are none.
func Schema(policy any) string {
	properties := map[string]any{}
	for _, one := range settingsOf(policy) {
		property := one.schema(one.value.Type())
		property["default"] = one.value.Interface()
		if one.about != "" {
			property["description"] = one.about
		}
		properties[one.name] = property
	}
	if len(properties) == 0 {
		return ""
	}
	schema := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	text, err := json.Marshal(schema)
	if err != nil {
		panic(fmt.Sprintf("the settings' defaults are no JSON: %v", err))
	}
	return string(text)
}

func (s setting) schema(of reflect.Type) map[string]any {
	switch of {
	case reflect.TypeFor[FailureClass]():
		return map[string]any{"enum": FailureClasses()}
	case reflect.TypeFor[Jitter]():
		return map[string]any{"enum": []Jitter{NoJitter, FullJitter, EqualJitter, DecorrelatedJitter}}
	}
	switch of.Kind() {
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{s.schema(of.Elem()), map[string]any{"type": "null"}}}
	case reflect.Slice:
		// A list of no items may be nil, which JSON writes as null.
		return map[string]any{"type": []string{"array", "null"}, "items": s.schema(of.Elem())}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": s.least}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number", "minimum": s.least}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	default:
		return map[string]any{}
	}
}
