"""Six algorithms on lists: edit distance, n queens, matrix chain, binary search, brackets and knapsack."""

from __future__ import annotations

import functools

from tests.benchmarks.algorithms import algorithm

WEIGHTS = [12, 7, 11, 8, 9, 6, 14, 3, 5, 10, 13, 4, 15, 2, 16, 17]
WORTHS = [24, 13, 23, 15, 16, 11, 28, 5, 9, 19, 25, 7, 30, 3, 31, 35]
DIMENSIONS = [30, 35, 15, 5, 10, 20, 25, 40, 8, 12, 33, 6, 50, 18, 22, 9, 14, 27, 11, 16, 21, 7]


@algorithm(
    """
edit_distance:{[a;b]
  row:til 1+count b;
  i:0;
  while[i<count a;
    next_row:enlist i+1;
    j:0;
    while[j<count b;
      cost:$[a[i]=b j;0;1];
      next_row,:(cost+row j)&(1+row j+1)&1+last next_row;
      j+:1];
    row:next_row;
    i+:1];
  last row}
""",
    small=(("", ""), ("kitten", "sitting"), ("abc", "")),
    full=(
        "the quick brown fox jumps over the lazy dog" * 2,
        "a lazy fox quickly jumped over it" * 2,
    ),
)
def edit_distance(a: str, b: str) -> int:
    """The distance of Levenshtein, a row of its table at a time."""
    row = list(range(1 + len(b)))
    i = 0
    while i < len(a):
        next_row = [i + 1]
        j = 0
        while j < len(b):
            cost = 0 if a[i] == b[j] else 1
            next_row.append(min(cost + row[j], 1 + row[j + 1], 1 + next_row[-1]))
            j += 1
        row = next_row
        i += 1
    return row[-1]


@algorithm(
    """
safe:{[columns;c]
  r:count columns; i:0;
  while[i<r;
    if[c=columns i; :0b];
    if[(r-i)=abs c-columns i; :0b];
    i+:1];
  1b}
queens:{[n;columns]
  if[n=count columns; :1];
  found:0; c:0;
  while[c<n;
    if[safe[columns;c]; found+:queens[n;columns,c]];
    c+:1];
  found}
n_queens:{queens[x;0#0]}
""",
    small=((1,), (4,), (5,)),
    full=(7,),
)
def n_queens(n: int) -> int:
    """How many ways there are to place `n` queens, row by row."""

    def safe(columns: list[int], c: int) -> bool:
        r = len(columns)
        i = 0
        while i < r:
            if c == columns[i]:
                return False
            if r - i == abs(c - columns[i]):
                return False
            i += 1
        return True

    def queens(columns: list[int]) -> int:
        if n == len(columns):
            return 1
        found = 0
        c = 0
        while c < n:
            if safe(columns, c):
                found += queens([*columns, c])
            c += 1
        return found

    return queens([])


@algorithm(
    """
matrix_chain:{[p]
  n:-1+count p;
  m:(n;n)#0;
  width:1;
  while[width<n;
    i:0;
    while[n>j:i+width;
      best:0W;
      k:i;
      while[k<j;
        cost:m[i;k]+m[k+1;j]+p[i]*p[k+1]*p j+1;
        if[cost<best; best:cost];
        k+:1];
      m[i;j]:best;
      i+:1];
    width+:1];
  m[0;n-1]}
""",
    small=(([10, 20, 30],), ([40, 20, 30, 10, 30],)),
    full=(DIMENSIONS * 2,),
)
def matrix_chain(p: list[int]) -> int:
    """The fewest multiplications for a product of matrices whose dimensions are `p`."""
    n = len(p) - 1
    m = [[0] * n for _ in range(n)]
    width = 1
    while width < n:
        i = 0
        while (j := i + width) < n:
            best = 2**63 - 1
            k = i
            while k < j:
                cost = m[i][k] + m[k + 1][j] + p[i] * p[k + 1] * p[j + 1]
                if cost < best:
                    best = cost
                k += 1
            m[i][j] = best
            i += 1
        width += 1
    return m[0][n - 1]


@algorithm(
    """
search:{[v;x]
  low:0; high:-1+count v;
  while[low<=high;
    middle:(low+high) div 2;
    if[x=v middle; :middle];
    $[x>v middle; low:middle+1; high:middle-1]];
  -1}
binary_search:{[n]
  v:3*til n;
  sum search[v] each til n}
""",
    small=((1,), (20,)),
    full=(2500,),
)
def binary_search(n: int) -> int:
    """The sum of the positions of 0 to n-1 among the multiples of three; a missing one counts -1."""
    v = [3 * k for k in range(n)]

    def search(x: int) -> int:
        low = 0
        high = len(v) - 1
        while low <= high:
            middle = (low + high) // 2
            if x == v[middle]:
                return middle
            if x > v[middle]:
                low = middle + 1
            else:
                high = middle - 1
        return -1

    return sum(search(x) for x in range(n))


@algorithm(
    """
closing:")]}"!"([{"
step:{[open;c]
  $[c in "([{"; open,c;
    not c in ")]}"; open;
    closing[c]=last open; -1_open;
    open,"!"]}
brackets:{0=count step/["";x]}
""",
    small=(("",), ("a(b[c]{d})",), ("(]",), ("((",), ("]",)),
    full=("{[(a+b)*(c-d)]/(e[f(g)])}" * 60,),
)
def brackets(text: str) -> bool:
    """Whether every bracket closes the one that was opened last, folding over the characters."""
    closing = {")": "(", "]": "[", "}": "{"}

    def step(opened: list[str], c: str) -> list[str]:
        if c in "([{":
            return [*opened, c]
        if c not in ")]}":
            return opened
        if opened and closing[c] == opened[-1]:
            return opened[:-1]
        return [*opened, "!"]

    return len(functools.reduce(step, text, [])) == 0


@algorithm(
    """
knapsack:{[weights;worths;capacity]
  best:(1+capacity)#0;
  i:0;
  while[i<count weights;
    c:capacity;
    while[c>=weights i;
      best[c]:best[c]|worths[i]+best c-weights i;
      c-:1];
    i+:1];
  last best}
""",
    small=(([1], [2], 0), ([3, 4, 2], [4, 5, 3], 6)),
    full=(WEIGHTS, WORTHS, 1000),
)
def knapsack(weights: list[int], worths: list[int], capacity: int) -> int:
    """The most that fits, each thing taken at most once."""
    best = [0] * (1 + capacity)
    i = 0
    while i < len(weights):
        c = capacity
        while c >= weights[i]:
            best[c] = max(best[c], worths[i] + best[c - weights[i]])
            c -= 1
        i += 1
    return best[-1]
