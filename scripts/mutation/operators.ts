import ts from 'typescript';
import type { Operator } from './mutant.ts';

/** A fault for a node of the syntax tree: what replaces the text from `start` to `end`. */
export interface Fault {
  readonly operator: Operator;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

const SWAPPED_TOKENS: ReadonlyMap<ts.SyntaxKind, readonly [Operator, string]> = new Map([
  [ts.SyntaxKind.LessThanToken, ['boundary', '<=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['boundary', '<']],
  [ts.SyntaxKind.GreaterThanToken, ['boundary', '>=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['boundary', '>']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['equality', '!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['equality', '===']],
  [ts.SyntaxKind.PlusToken, ['arithmetic', '-']],
  [ts.SyntaxKind.MinusToken, ['arithmetic', '+']],
  [ts.SyntaxKind.AsteriskToken, ['arithmetic', '/']],
  [ts.SyntaxKind.SlashToken, ['arithmetic', '*']],
  [ts.SyntaxKind.PercentToken, ['arithmetic', '*']],
  [ts.SyntaxKind.PlusEqualsToken, ['arithmetic', '-=']],
  [ts.SyntaxKind.MinusEqualsToken, ['arithmetic', '+=']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['logical', '||']],
  [ts.SyntaxKind.BarBarToken, ['logical', '&&']],
  [ts.SyntaxKind.PlusPlusToken, ['increment', '--']],
  [ts.SyntaxKind.MinusMinusToken, ['increment', '++']],
]);

/** The faults that this node alone can have; those of its children are theirs. */
export function faultsOf(node: ts.Node): readonly Fault[] {
  if (ts.isIfStatement(node)) return [negated(node.expression)];
  if (ts.isConditionalExpression(node)) return [negated(node.condition)];
  if (ts.isWhileStatement(node)) return [instead('loop skipped', node.expression, 'false')];
  if (ts.isForStatement(node) && node.condition !== undefined)
    return [instead('loop skipped', node.condition, 'false')];
  if (ts.isBinaryExpression(node)) return faultsOfBinary(node);
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) return faultsOfUnary(node);
  if (ts.isReturnStatement(node) && node.expression !== undefined && !isNothing(node.expression))
    return [instead('return value removed', node, 'return;')];
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body) && !isNothing(node.body))
    return [instead('return value removed', node.body, 'undefined')];
  if (
    ts.isThrowStatement(node) ||
    (ts.isExpressionStatement(node) && !isSuperCall(node.expression) && !isNothing(node.expression))
  )
    return [instead('statement removed', node, ';')];
  return faultsOfValue(node);
}

function faultsOfBinary({ operatorToken: token, left, right }: ts.BinaryExpression): readonly Fault[] {
  if (token.kind === ts.SyntaxKind.QuestionQuestionToken)
    return [{ operator: 'fallback removed', start: left.getEnd(), end: right.getEnd(), replacement: '' }];
  const isOfText = [left, right].some(
    (side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side),
  );
  const swap = SWAPPED_TOKENS.get(token.kind);
  return swap === undefined || (swap[0] === 'arithmetic' && isOfText)
    ? []
    : [instead(swap[0], token, swap[1])];
}

function faultsOfUnary(node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression): readonly Fault[] {
  const { operand } = node;
  if (node.operator === ts.SyntaxKind.ExclamationToken) {
    // A condition that is negated altogether has its mutant already.
    if (isCondition(node)) return [];
    return [instead('negation removed', node, operand.getText())];
  }
  const swap = SWAPPED_TOKENS.get(node.operator);
  if (swap?.[0] !== 'increment') return [];
  const text = ts.isPrefixUnaryExpression(node)
    ? `${swap[1]}${operand.getText()}`
    : `${operand.getText()}${swap[1]}`;
  return [instead('increment', node, text)];
}

function faultsOfValue(node: ts.Node): readonly Fault[] {
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [instead('boolean', node, 'false')];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [instead('boolean', node, 'true')];
  if (ts.isArrayLiteralExpression(node) && node.elements.length > 0 && !isAssignedTo(node))
    return [instead('array emptied', node, '[]')];
  if (node.kind === ts.SyntaxKind.QuestionDotToken) return [withoutQuestion(node)];
  if (ts.isTemplateExpression(node)) return [instead('string', node, '``')];
  if (ts.isStringLiteralLike(node) && !isName(node))
    return [instead('string', node, node.text === '' ? `'mutated'` : `''`)];
  return [];
}

/** `a?.b` becomes `a.b`, and `a?.[b]` and `a?.(b)` what is left of them. */
function withoutQuestion(token: ts.Node): Fault {
  const owner = token.parent;
  const replacement = ts.isPropertyAccessExpression(owner) ? '.' : '';
  return instead('optional chaining removed', token, replacement);
}

function negated(condition: ts.Expression): Fault {
  return instead('condition negated', condition, `!(${condition.getText()})`);
}

function instead(operator: Operator, node: ts.Node, replacement: string): Fault {
  return { operator, start: node.getStart(), end: node.getEnd(), replacement };
}

function isCondition(node: ts.Node): boolean {
  const { parent } = node;
  return (
    (ts.isIfStatement(parent) && parent.expression === node) ||
    (ts.isConditionalExpression(parent) && parent.condition === node)
  );
}

/** `undefined`, and what is never run: `value satisfies never`. */
function isNothing(node: ts.Expression): boolean {
  if (ts.isSatisfiesExpression(node)) return node.type.kind === ts.SyntaxKind.NeverKeyword;
  return node.getText() === 'undefined';
}

function isSuperCall(node: ts.Expression): boolean {
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword;
}

/** `[a, b] = c`: a pattern, no value. */
function isAssignedTo({ parent }: ts.Node): boolean {
  return (
    (ts.isBinaryExpression(parent) &&
      parent.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
      ts.isArrayLiteralExpression(parent.left)) ||
    ts.isForOfStatement(parent)
  );
}

/** The module that is imported, or the key of a property: another text there is no other behaviour, but no program. */
function isName(node: ts.StringLiteralLike): boolean {
  const { parent } = node;
  return (
    ts.isImportDeclaration(parent) ||
    ts.isExportDeclaration(parent) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    ts.isTaggedTemplateExpression(parent)
  );
}
