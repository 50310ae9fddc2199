package present
import ("testing";"os")
func TestZZDump(t *testing.T){
 r:=faultySite(t)
 f,_:=os.Create("/tmp/pages/dump-"+os.Getenv("L")+".txt")
 for _,l:=range []string{"de","en"}{ _=l }
 Text(f,r,Options{Lang:german(t),All:true})
 p,_:=HTML(r,german(t)); os.WriteFile("/tmp/pages/dump.html",p,0o644)
}
