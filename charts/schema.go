package charts

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/islandbundle/island/manifests/fault"
)

// validate checks values against the values.schema.json of the chart and its
// subcharts, as Helm does, but without a network and without files: a schema
// that refers to another document on the internet is not checked, and that is
// noted; one that refers to a file is an error.
func (c *Chart) validate(loaded *chart.Chart, input chartutil.Values, rendered *Rendered) error {
	values, err := input.Table("Values")
	if err != nil {
		return err
	}
	var faults []error
	c.validateTree(loaded, values, rendered, &faults)
	return errors.Join(faults...)
}

func (c *Chart) validateTree(part *chart.Chart, values map[string]any, rendered *Rendered, faults *[]error) {
	for _, err := range checkSchema(part.Schema, values) {
		if url := remoteSchema(err); url != "" {
			rendered.note("the values of %s are not checked against its schema, which refers to %s: nothing is downloaded",
				part.ChartFullPath(), url)
			continue
		}
		*faults = append(*faults, c.explainSchema(part, err))
	}
	for _, sub := range dependencies(part) {
		if below, ok := values[sub.Name()].(map[string]any); ok {
			c.validateTree(sub, below, rendered, faults)
		}
	}
}

// schemaFault is one value that a schema does not accept.
type schemaFault struct {
	path    []string
	message string
}

func (f *schemaFault) Error() string { return f.message }

func (c *Chart) explainSchema(part *chart.Chart, err error) error {
	cause := &RenderError{Chart: c.metadata.Name, Template: part.ChartFullPath() + "/values.schema.json", Message: err.Error()}
	hint := "the chart's own schema is broken; its maintainers have to repair it"
	if value := (*schemaFault)(nil); errors.As(err, &value) {
		cause.ValuePath = strings.Join(append(subcharts(cause.Template), value.path...), ".")
		cause.Message = "value is not what the chart's schema allows: " + value.message
		hint = fmt.Sprintf("correct %s in a values file of chart %s", or(cause.ValuePath, "the values"), c.metadata.Name)
	}
	e := fault.New(fault.Failure, fault.Here, c.object(), hint, "%w", cause)
	e.Place = fault.Place{File: cause.Template, Field: cause.ValuePath}
	return e
}

// errRemoteSchema says that a schema refers to a document on the internet.
var errRemoteSchema = errors.New("is not downloaded")

// remoteSchema returns the address of the document on the internet that a schema
// could not be read without.
func remoteSchema(err error) string {
	if failed := (*jsonschema.LoadURLError)(nil); errors.As(err, &failed) && errors.Is(failed.Err, errRemoteSchema) {
		return failed.URL
	}
	return ""
}

// noLoader refuses every document that a schema refers to.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	switch {
	case strings.HasPrefix(url, "http://"), strings.HasPrefix(url, "https://"):
		return nil, errRemoteSchema
	case strings.HasPrefix(url, "urn:"):
		return true, nil // as Helm does: whatever it is, it is allowed
	default:
		return nil, errors.New("a schema may not refer to files")
	}
}

const schemaURL = "file:///values.schema.json"

func checkSchema(schemaJSON []byte, values map[string]any) []error {
	if schemaJSON == nil {
		return nil
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return []error{err}
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(schemaURL, document); err != nil {
		return []error{err}
	}
	schema, err := compiler.Compile(schemaURL)
	if err != nil {
		return []error{err}
	}
	err = schema.Validate(values)
	if invalid := (*jsonschema.ValidationError)(nil); errors.As(err, &invalid) {
		return schemaFaults(invalid)
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// schemaFaults returns the innermost causes, which are those that name a value.
func schemaFaults(invalid *jsonschema.ValidationError) []error {
	if len(invalid.Causes) == 0 {
		message := invalid.Error()
		if _, what, found := strings.Cut(message, "': "); found {
			message = what // without "at '/path': ", which is told as a value path
		}
		return []error{&schemaFault{path: invalid.InstanceLocation, message: message}}
	}
	var all []error
	for _, cause := range invalid.Causes {
		all = append(all, schemaFaults(cause)...)
	}
	return all
}
