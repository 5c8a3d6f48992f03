/ Members of .h: HTML, HTTP and file formats. The format of this file is described in __init__.py.
HOME:"html"
d:" "
br:"<br>"
c0:`024C7E
c1:`958600
sa:"a{text-decoration:none}a:link{color:024C7E}a:visited{color:024C7E}a:active{color:958600}"
sb:"body{font:10pt verdana;text-align:justify}"
sc:"$-.+!*'(),",.Q.an
ty:`htm`html`csv`txt`xml`xls`gif`png`ico`jpg`jpeg`js`css`swf`pdf`zip`json`raw!("text/html";"text/html";"text/comma-separated-values";"text/plain";"text/plain";"application/msexcel";"image/gif";"image/png";"image/x-icon";"image/jpeg";"image/jpeg";"application/javascript";"text/css";"application/x-shockwave-flash";"application/pdf";"application/zip";"application/json";"application/octet-stream")
val:value

htc:{"<",string[x],">",y,"</",string[x],">"}
hta:{"<",string[x],raze[" ",'string[key y],'"=",'{$[10h=type x;"\"",x,"\"";string x]}each value y],">"}
htac:{hta[x;y],z,"</",string[x],">"}
ha:{"<a href=",$[10h=type x;"\"",x,"\"";string x],">",y,"</a>"}
hb:{"<a target=v href=",$[10h=type x;"\"",x,"\"";string x],">",y,"</a>"}
hc:{ssr[x;"<";"&lt;"]}
xs:{raze{$[x="&";"&amp;";x="<";"&lt;";x=">";"&gt;";x]}each x}
hr:{count[x]#"-"}
nbr:htc[`nobr]
pre:{htc[`pre]` sv x}
xmp:{htc[`xmp]` sv x}
text:{` sv htc[`p]each x}
html:{htc[`html]htc[`head;htc[`style]sa,sb],htc[`body]x}
hn:{"HTTP/1.1 ",x,"\r\nContent-Type: ",$[y in key ty;ty y;"application/octet-stream"],"\r\nConnection: close\r\nContent-Length: ",string[count z],"\r\n\r\n",z}
hy:{hn["200 OK";x;y]}
hp:{hy[`htm]htc[`html]htc[`head;htc[`style]sb],htc[`body]pre x}
he:{hn["400 Bad Request";`txt;"'",hc[x],"\n"]}
iso8601:{$[null x:`timestamp$x;"";@[string x;4 7 10;:;"--T"]]}
cd:{tx[`csv]x}
td:{tx[`txt]x}
xd:{tx[`xml]x}
/ k) ,:
/ k) k){.j.j'$[.Q.qt x;0!x;x]}
/ k) k){.q.csv 0:$[.Q.qt x;![x;();0b;(!t)[c]!,:'.q.sv[d]@/:'$v c:&(~l=-10h)&0>l:.Q.tx'v:. t:+0!x];x]}
/ k) k){"\t"0:x}
/ k) k){g:{(#*y)#'(,,"<",x),y,,,"</",x:($x),">"};(,"<R>"),(,/'+g[`r]@,/(!x)g'{,xs'$[11h=@x;$x;t&77h>t:@x;$x;x]}'x:+0!x),,"</R>"}
/ k) k){ex eb es[`Sheet1]x}
tx:`raw`json`csv`txt`xml`xls!((,:);
  {.j.j each $[.Q.qt x;0!x;x]};
  {csv 0:$[.Q.qt x;flip{$[0h=type x;$[all 10h=abs type each x;x;d sv'string each x];x]}each flip 0!x;x]};
  {"\t"0:x};
  {f:flip 0!x;c:string key f;v:{xs each $[10h=type x;enlist each x;0h=type x;x;string x]}each value f;enlist["<R>"],({"<r>",x,"</r>"}each raze each flip{("<",x,">"),/:y,\:"</",x,">"}'[c;v]),enlist"</R>"};
  {ed x})
xt:`json`csv`txt!({.j.k each x};{x};{x})
jx:{[j;t]n:count t:get t;h:{"<a href=\"?[",string[x],"\">",y,"</a> "};l:raze h'[0|(0;j-32;(n-32)&j+32;n-32);("home";"up";"down";"end")];enlist[l,string[n],"[",string[j],"]"],enlist[""],"\n"vs -1_.Q.s t j+til 32&n-j}
