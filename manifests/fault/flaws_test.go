package fault

import "testing"

func TestFlaws(t *testing.T) {
	f := Flaws{File: "site.yaml", Most: 2}
	f.Want(true, "name", "", "name is good")
	if f.Any() || f.Err() != nil {
		t.Fatalf("without a flaw: %v", f.Err())
	}
	f.Want(false, "users", "count them", "number of users is %d", -1)
	f.Add(Place{File: "other.yaml", Line: 3}, "", "second")
	f.Want(false, "push", "", "one too many")
	all := All(f.Err())
	if !f.Any() || len(all) != 2 {
		t.Fatalf("flaws are %v", f.Err())
	}
	if all[0].Error() != "site.yaml: users: number of users is -1" || all[0].Hint != "count them" || all[0].Kind != Usage {
		t.Errorf("first flaw is %+v", all[0])
	}
	if all[1].Error() != "other.yaml:3: second" {
		t.Errorf("second flaw is %v", all[1])
	}
}

func TestFlawsAreBounded(t *testing.T) {
	var f Flaws
	for range MaxFlaws + 1234 {
		f.Add(Place{File: "site.yaml", Line: 7}, "", "number of users is %d", -1)
	}
	all := All(f.Err())
	if len(all) != MaxFlaws+1 || len(All(f.Err())) != len(all) {
		t.Fatalf("%d flaws are told", len(all))
	}
	if said := all[MaxFlaws].Error(); said != "site.yaml: 1234 more flaws are not listed" || all[MaxFlaws-1].Error() == said {
		t.Errorf("last it is said that %s", said)
	}
}
