/ Members of .Q that are plainest in q. The format of this file is described in __init__.py.
n:"0123456789"
a:"abcdefghijklmnopqrstuvwxyz"
A:"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
an:a,A,"_",n
nA:n,A
Aa:A,a
b6:A,a,n,"+/"
t:" bg xhijefcspmdznuvts"
k:4.1
K:2025.02.18
M:0W
x:()
res:`abs`acos`asin`atan`avg`bin`binr`cor`cos`cov`delete`dev`div`do`enlist`exec`exit`exp`from`getenv`hopen`if`in`insert`last`like`log`max`min`prd`select`setenv`sin`sqrt`ss`sum`tan`update`var`wavg`while`within`wsum`xexp

addmonths:{("d"$m+y)+x-"d"$m:"m"$x}
dd:{` sv x,`$string y}
x10:{b6(10#64)vs x}
j10:{64 sv b6?x}
x12:{nA(12#36)vs x}
j12:{36 sv nA?x}
v:{$[-11h=type x;get x;x]}
V:{flip 0!v x}
qt:{$[99h=t:type x;98h=type key x;98h=t]}
ft:{$[$[99h=type t:v y;98h=type value t;0b];[n:count cols key t;n!x 0!t];x t]}
fu:{$[0h>type y;x y;(x u)(u:distinct y)?y]}
fc:{x y}
ff:{$[count c:cols[y]except cols x;flip flip[x],c!count[x]#'first each 0#'flip[y]c;x]}
gc:{0}
w:{`used`heap`peak`wmax`mmap`mphy`syms`symw!system["w"],system"w 0"}
en:{ens[x;y;`sym]}
ens:{[d;t;s]if[not d~(::);:get d];k:keys t;t:0!t;k xkey @[t;cols[t]where 11h=type each value flip t;s?]}
opt:{i:where{$[10h=type x;"-"=first x;0b]}each x;(`$1_'x i)!{$[1=count x;first x;x]}each 1_'i cut x}
def:{x,k!{(upper .Q.t abs type x)$$[10h=type y;y;1=count y;first y;y]}'[x k;y k:key[x]inter key y]}
ld:{i:where not(first each x)in" \t}";(1+i;"\n"sv'i cut x)}
