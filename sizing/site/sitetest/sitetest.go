// Package sitetest is what tests of site documents share: a good one, and what
// schemas say of sites beyond their types.
package sitetest

import (
	"reflect"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/schema"
	"github.com/islandbundle/island/sizing/site"
)

// Good is a site document of which all can be calculated.
const Good = `apiVersion: island/v1
kind: Site
name: Example Hospital
table: guide-postgresql
scenario: custom-app-on-premises
users: 2500
conferences: 10x8,2x50
videoShare: 80
relayedShare: 20
mail: external
push: C
serverCount: 3
growth: {usersPercentPerYear: 10, months: 36}
clients: [web, windows, android]
bundle: {size: 14 GB, keep: 2}
`

// Rules are what a field's type alone does not say, where these are the names
// that documents may use.
func Rules(names site.Names) map[string]schema.Object {
	return map[string]schema.Object{
		"Site.apiVersion":            {"const": manifests.APIVersion},
		"Site.kind":                  {"const": site.Kind},
		"Site.name":                  {"minLength": 1, "maxLength": site.MaxName},
		"Site.table":                 {"enum": names.Tables},
		"Site.users":                 {"minimum": 1, "maximum": site.MaxUsers},
		"Site.serverCount":           {"minimum": 0, "maximum": site.MaxServers},
		"Site.restund":               {"enum": []int{0, site.MinRestund, site.MaxRestund}},
		"Site.clients":               {"uniqueItems": true},
		"Site.videoShare":            {"minimum": 0, "maximum": 100},
		"Site.relayedShare":          {"minimum": 0, "maximum": 100},
		"Server.name":                {"pattern": site.MachineName.String()},
		"SiteVM.name":                {"pattern": site.MachineName.String()},
		"Growth.usersPercentPerYear": {"minimum": 0, "maximum": site.MaxGrowth},
		"Growth.months":              {"minimum": 0, "maximum": site.MaxMonths},
		"BundleSize.keep":            {"minimum": 0, "maximum": site.MaxKept},
	}
}

// Required returns the fields without which a site is not calculated.
func Required() map[string][]string {
	return map[string][]string{
		"Site":   {"apiVersion", "kind", "name", "scenario", "users", "conferences"},
		"Server": {"name"}, "SiteVM": {"name", "role"},
	}
}

// Inline returns the schemas of types of package site that are not what their
// structure says, and nil for others.
func Inline(names site.Names, t reflect.Type) schema.Object {
	switch t {
	case reflect.TypeFor[site.Role]():
		return schema.Object{"enum": site.Roles()}
	case reflect.TypeFor[site.ScenarioID]():
		return schema.Object{"enum": names.Scenarios}
	case reflect.TypeFor[site.Mail]():
		return schema.Object{"enum": []site.Mail{site.MailExternal, site.MailBundled}}
	case reflect.TypeFor[site.Push]():
		return schema.Object{"enum": []site.Push{site.PushWire, site.PushOwn, site.PushNone}}
	case reflect.TypeFor[site.Client]():
		return schema.Object{"enum": site.Clients()}
	case reflect.TypeFor[site.Capacity]():
		return schema.Object{"type": "string", "pattern": site.CapacityPattern}
	case reflect.TypeFor[site.Conferences]():
		return schema.Object{"type": "string", "pattern": site.ConferencesPattern}
	}
	return nil
}
