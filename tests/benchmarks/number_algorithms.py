"""Six algorithms on numbers: fibonacci, sieve, collatz, gcd, prime factors and roman numerals."""

from __future__ import annotations

from tests.benchmarks.algorithms import algorithm


@algorithm(
    "fibonacci:{$[x<2;x;.z.s[x-1]+.z.s[x-2]]}",
    small=((0,), (1,), (12,)),
    full=(20,),
)
def fibonacci(n: int) -> int:
    """The doubly recursive definition."""
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@algorithm(
    """
sieve:{[n]
  prime:n#1b;
  prime[0]:0b; prime[1]:0b;
  i:2;
  while[n>i*i;
    if[prime i;
      j:i*i;
      while[j<n; prime[j]:0b; j+:i]];
    i+:1];
  where prime}
""",
    small=((2,), (3,), (50,)),
    full=(20_000,),
)
def sieve(n: int) -> list[int]:
    """The primes below `n`, crossing out multiples one by one."""
    prime = [True] * n
    prime[0] = False
    prime[1] = False
    i = 2
    while i * i < n:
        if prime[i]:
            j = i * i
            while j < n:
                prime[j] = False
                j += i
        i += 1
    return [k for k, is_prime in enumerate(prime) if is_prime]


@algorithm(
    """
chain:{n:0; while[x>1; x:$[x mod 2;1+3*x;x div 2]; n+:1]; n}
collatz:{max chain each 1+til x}
""",
    small=((1,), (30,)),
    full=(1500,),
)
def collatz(bound: int) -> int:
    """The longest chain that starts at or below `bound`."""

    def chain(x: int) -> int:
        n = 0
        while x > 1:
            x = 1 + 3 * x if x % 2 else x // 2
            n += 1
        return n

    return max(chain(start) for start in range(1, bound + 1))


@algorithm(
    """
gcd:{$[y=0;x;.z.s[y;x mod y]]}
coprime:{[n]
  pairs:0; a:1;
  while[a<=n;
    b:1;
    while[b<=n; if[1=gcd[a;b]; pairs+:1]; b+:1];
    a+:1];
  pairs}
""",
    small=((1,), (12,)),
    full=(130,),
)
def coprime(n: int) -> int:
    """How many pairs of numbers up to `n` have no common divisor, by the recursion of Euclid."""

    def gcd(x: int, y: int) -> int:
        return x if y == 0 else gcd(y, x % y)

    pairs = 0
    a = 1
    while a <= n:
        b = 1
        while b <= n:
            if gcd(a, b) == 1:
                pairs += 1
            b += 1
        a += 1
    return pairs


@algorithm(
    """
factors:{[n]
  found:();
  d:2;
  while[n>=d*d;
    while[0=n mod d; found,:d; n:n div d];
    d+:1];
  if[n>1; found,:n];
  found}
prime_factors:{sum count each factors each 1000000+til x}
""",
    small=((1,), (10,)),
    full=(120,),
)
def prime_factors(n: int) -> int:
    """How many prime factors the `n` numbers from a million on have, by trial division."""

    def factors(n: int) -> list[int]:
        found = []
        d = 2
        while d * d <= n:
            while n % d == 0:
                found.append(d)
                n //= d
            d += 1
        if n > 1:
            found.append(n)
        return found

    return sum(len(factors(1_000_000 + i)) for i in range(n))


@algorithm(
    """
sizes:1000 900 500 400 100 90 50 40 10 9 5 4 1
letters:("M";"CM";"D";"CD";"C";"XC";"L";"XL";"X";"IX";"V";"IV";"I")
roman:{[n]
  text:""; i:0;
  while[n>0;
    while[n>=sizes i; text,:letters i; n-:sizes i];
    i+:1];
  text}
roman_numerals:{raze roman each 1+til x}
""",
    small=((1,), (40,)),
    full=(1500,),
)
def roman_numerals(n: int) -> str:
    """The numerals of 1 to `n`, one after another."""
    sizes = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
    letters = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")

    def roman(n: int) -> str:
        text = ""
        i = 0
        while n > 0:
            while n >= sizes[i]:
                text += letters[i]
                n -= sizes[i]
            i += 1
        return text

    return "".join(roman(k) for k in range(1, n + 1))
