# SPDX-License-Identifier: MIT
"""mutate.py FILE... - small changes of C, each of which should break a test.

What is changed, in the bodies of functions only:

	relation	< <= > >= == !=		the bound moved by one, or negated
	arithmetic	+ - * / % ++ -- += -=	its opposite
	bits		<< >> & | ^ ~ &= |=	its opposite, or left out
	logic		&& || !			the other one, or left out
	condition	if (c), while (c)	if (!(c))
	constant	n, true, false		n + 1, the other one
	result		return x		return 0
	statement	f(); x = y; break;	left out
	flow		break, continue		the other one

Not changed: assertions (they are a test themselves); what KMEM_NEVER() says is
never done; what is logged (the arguments of a call that has a format or a
sentence among them); locks, barriers and the masking of interrupts, which
tests/explore/mutate.sh is about.

By the spaces around it an operator is known to be binary: the style of src/.
"""
import collections
import re
import sys

Mutant = collections.namedtuple(
    'Mutant', 'file line function text what start end instead')

TOKEN = re.compile(r'''
    (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<cpp>^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<number>0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\S)
''', re.X | re.M | re.S)

SWAP = {
    '<': ('<=', '>='), '<=': ('<', '>'), '>': ('>=', '<='), '>=': ('>', '<'),
    '==': ('!=',), '!=': ('==',), '&&': ('||',), '||': ('&&',),
    '+': ('-',), '-': ('+',), '*': ('+',), '/': ('*',), '%': ('/',),
    '<<': ('>>',), '>>': ('<<',), '&': ('|',), '|': ('&',), '^': ('|',),
    '++': ('--',), '--': ('++',), '+=': ('-=',), '-=': ('+=',),
    '&=': ('|=',), '|=': ('&=',), '<<=': ('>>=',), '>>=': ('<<=',),
    '!': ('',), '~': ('',),
}
BINARY = set('< <= > >= == != && || + - * / % << >> & | ^'.split())
WORDS = {'true': 'false', 'false': 'true', 'break': 'continue',
         'continue': 'break'}
NOT_A_CALL = set('if for while switch return sizeof'.split())
DECLARES = set('''static const volatile struct enum union unsigned signed int
    char long short size_t bool void return goto if else for while do switch
    case default extern'''.split())
ASSERTS = re.compile(r'KMEM_ASSERT|KMEM_NEVER|KMEM_STATIC_ASSERT|static_assert'
                     r'|_Static_assert|kmem_bug|sizeof|__attribute__'
                     r'|offsetof|KMEM_CONSTANT')
EXPLORED = re.compile(r'\w*lock_(take|drop|irq|try|try_irq|init)$|unlock\w*$'
                      r'|kmem_arch_irq_\w+|kmem_barrier|kmem_arch_pause'
                      r'|kmem_arch_(enter|exit)|magazine_(enter|leave)'
                      r'|lock\w*$|\w+_(un)?lock$')


class Source:
    """The text of a file, its tokens, and which bracket belongs to which."""

    def __init__(self, path):
        self.path = path
        with open(path, encoding='utf-8') as f:
            self.text = f.read()
        self.lines = self.text.split('\n')
        self.tokens = [m for m in TOKEN.finditer(self.text)
                       if m.lastgroup not in ('comment', 'cpp')]
        self.match = {}
        stack = []
        for i, t in enumerate(self.tokens):
            if t.group() in ('(', '{', '['):
                stack.append(i)
            elif t.group() in (')', '}', ']'):
                self.match[i] = stack.pop()
                self.match[self.match[i]] = i

    def word(self, i):
        return self.tokens[i].group() if 0 <= i < len(self.tokens) else ''

    def kind(self, i):
        return self.tokens[i].lastgroup

    def functions(self):
        """(name, first token, last token) of each body."""
        i = 0
        while i < len(self.tokens):
            if self.word(i) != '{':
                i += 1
                continue
            if self.word(i - 1) == ')':
                name = self.match[i - 1] - 1
                if self.word(name) == ')':	# (f)(x): f is a macro, too
                    name -= 1
                yield self.word(name), i, self.match[i]
            i = self.match[i] + 1

    def statement_end(self, i):
        """The last token of the statement that begins at i."""
        w = self.word(i)
        if w == '{':
            return self.match[i]
        if w in ('if', 'for', 'while', 'switch'):
            end = self.statement_end(self.match[i + 1] + 1)
            if w == 'if' and self.word(end + 1) == 'else':
                end = self.statement_end(end + 2)
            return end
        while self.word(i) != ';':
            i = self.match[i] if self.word(i) in ('(', '{', '[') else i
            i += 1
        return i

    def excluded(self, first, last):
        """Tokens that are left as they are."""
        out = set()
        for i in range(first, last):
            if self.kind(i) != 'name' or self.word(i + 1) != '(' or \
                    self.word(i) in NOT_A_CALL - {'sizeof'}:
                continue
            end = self.match[i + 1]
            inside = range(i + 2, end)
            if ASSERTS.fullmatch(self.word(i)):
                out.update(range(i, end + 1))
                if self.word(i) == 'KMEM_NEVER':
                    out.update(range(end, self.statement_end(end + 2) + 1))
            elif EXPLORED.fullmatch(self.word(i)) or any(
                    self.kind(j) == 'string' and
                    re.search('[ %]', self.word(j)) for j in inside):
                out.update(inside)
        return out

    def is_declaration(self, i):
        if self.word(i) in DECLARES or re.fullmatch(r'\w+_t', self.word(i)):
            return True
        if self.kind(i) != 'name':
            return False
        j = i + 1
        while self.word(j) == '*':
            j += 1
        return self.kind(j) == 'name'

    def statements(self, first, last):
        """(first token, its ';') of each simple statement."""
        i = first + 1
        while i < last:
            w = self.word(i)
            if w in ('{', '}', 'else', 'do', ';'):
                i += 1
            elif w in ('if', 'for', 'while', 'switch'):
                i = self.match[i + 1] + 1
            elif w in ('case', 'default') or self.word(i + 1) == ':':
                while self.word(i) != ':':
                    i += 1
                i += 1
            elif (self.kind(i) == 'name' and self.word(i + 1) == '(' and
                  (self.word(self.match[i + 1] + 1) == '{' or
                   self.kind(self.match[i + 1] + 1) == 'name')):
                i = self.match[i + 1] + 1	# a loop that is a macro
            else:
                end = self.statement_end(i)
                yield i, end
                i = end + 1

    def mutant(self, name, i, j, instead, what):
        start, end = self.tokens[i].start(), self.tokens[j].end()
        line = self.text.count('\n', 0, start)
        text = re.sub(r'\s+', ' ', self.lines[line]).strip()
        old = self.text[start:end]
        instead += '\n' * (old.count('\n') - instead.count('\n'))
        return Mutant(self.path, line + 1, name, text, what, start, end, instead)

    def spaced(self, i):
        t = self.tokens[i]
        return self.text[t.start() - 1].isspace() and \
            self.text[t.end()].isspace()

    def mutate_token(self, name, i):
        w = self.word(i)
        if self.kind(i) == 'number':
            n = int(re.sub('[uUlL]', '', w), 0) + 1
            suffix = re.search('[uUlL]*$', w).group()
            yield self.mutant(name, i, i, f'{n}{suffix}', f'{w} to {n}')
        elif w in WORDS:
            yield self.mutant(name, i, i, WORDS[w], f'{w} to {WORDS[w]}')
        elif w in ('if', 'while') and self.word(i + 1) == '(':
            end = self.match[i + 1]
            old = self.text[self.tokens[i + 1].start():self.tokens[end].end()]
            yield self.mutant(name, i + 1, end, f'(!{old})', f'{w} not')
        elif w in SWAP and (w not in BINARY or self.spaced(i)):
            for to in SWAP[w]:
                yield self.mutant(name, i, i, to, f'{w} to {to or "nothing"}')

    def mutate_statement(self, name, i, end):
        w = self.word(i)
        if w == 'return' and end > i + 1:
            if end > i + 2 or self.kind(i + 1) == 'name' and \
                    self.word(i + 1) not in ('NULL', 'false', 'true'):
                yield self.mutant(name, i + 1, end - 1, '0', 'return 0')
        elif w in ('break', 'continue', 'return'):
            yield self.mutant(name, i, end, ';', 'left out')
        elif not self.is_declaration(i) and \
                not EXPLORED.fullmatch(self.word(i)) and \
                not (w == '(' and self.word(i + 1) == 'void'):
            yield self.mutant(name, i, end, ';', 'left out')

    def mutants(self):
        for name, first, last in self.functions():
            no = self.excluded(first, last)
            found = []
            for i in range(first, last):
                if i not in no:
                    found += self.mutate_token(name, i)
            for i, end in self.statements(first, last):
                if i not in no:
                    found += self.mutate_statement(name, i, end)
            seen = collections.Counter()
            for m in sorted(found, key=lambda m: (m.start, m.end)):
                key = (m.line, m.what)
                seen[key] += 1
                if seen[key] > 1:	# the second such thing of a line
                    m = m._replace(what=f'{m.what} #{seen[key]}')
                yield m


def mutants(path):
    return list(Source(path).mutants())


if __name__ == '__main__':
    for path in sys.argv[1:]:
        for m in mutants(path):
            print(f'{m.file}:{m.line}: {m.function}: {m.what}: {m.text}')
