package sizing

import (
	"cmp"
	"math"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/site"
)

// UserGrowth is how a site's users are expected to grow.
type UserGrowth struct {
	Users          int64        `json:"users"` // now
	PercentPerYear site.Percent `json:"percentPerYear"`
	Months         int          `json:"months"`     // looked ahead
	UsersAfter     int64        `json:"usersAfter"` // that many months, rounded up
	Formula        message.Text `json:"formula"`
}

// growth returns how users grow; nil if the site does not say that they do.
func (c *calculation) growth() *UserGrowth {
	if c.site.Growth.UsersPerYear == 0 {
		return nil
	}
	g := &UserGrowth{Users: c.site.Users, PercentPerYear: c.site.Growth.UsersPerYear, Months: c.months()}
	// Powers are inexact: a millionth of a user more is none.
	g.UsersAfter = int64(math.Ceil(c.site.UsersAfter(g.Months) - 1e-6))
	g.Formula = say("growth.formula", args{"users": g.Users, "growth": int64(g.PercentPerYear), "months": g.Months})
	return g
}

// months returns how far the site looks ahead.
func (c *calculation) months() int { return cmp.Or(c.site.Growth.Months, site.DefaultMonths) }

// mostUsers returns the users at the end of what the site looks ahead to.
func (c *calculation) mostUsers() int64 {
	if g := c.growth(); g != nil {
		return g.UsersAfter
	}
	return c.site.Users
}

// keepWhatUsersAdd are the roles whose disks grow with every user, of which the tables
// ask.
var keepWhatUsersAdd = []site.Role{site.Cassandra, site.MinIO, site.Elasticsearch}

// storageFactors lists the customer's own factors of storage, in words, and the roles
// that lack one: a factor is of one role, and says nothing of others.
func (c *calculation) storageFactors() (factors, without []message.Text) {
	const id = StoragePerUser
	for _, factor := range c.table.Rules.Factors {
		if factor.ID == id {
			factors = append(factors, say("question.factor-of", args{
				"factor": factor.Value, "role": c.roleName(factor.Role), "basis": message.Text{Given: factor.Basis},
			}))
		}
	}
	for _, role := range keepWhatUsersAdd {
		if c.table.Row(role) != nil && c.factor(id, role) == nil {
			without = append(without, c.roleName(role))
		}
	}
	return factors, without
}

// growthFinding says what growth comes to, and what of it is calculated: nothing but
// disks, and these by factors of the customer's own alone.
func (c *calculation) growthFinding(g *UserGrowth) {
	if g == nil {
		return
	}
	with := args{"users": g.Users, "after": g.UsersAfter, "months": g.Months, "growth": int64(g.PercentPerYear)}
	switch factors, without := c.storageFactors(); {
	case len(factors) == 0:
		c.advise("users.growth", Ask, say("finding.users.growth.text", with), say("finding.users.growth.hint", nil))
	case len(without) > 0:
		c.advise("users.growth", Ask, say("finding.users.growth.factor", with), say("finding.users.growth.others", args{"roles": without}))
	default:
		c.find("users.growth", Info, say("finding.users.growth.factor", with))
	}
}
