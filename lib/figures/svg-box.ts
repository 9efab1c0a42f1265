/**
 * Where the texts of an SVG element lie: what a browser's `getBBox` and `getBoundingClientRect` tell and jsdom does
 * not. Texts and rectangles count, paths do not: Plotly asks in order to make room for labels and legends.
 */
import { textWidth } from './text-size.js';
import { largest, smallest } from '../support/extremes.js';

/** A rectangle in pixels. */
export interface Box {
  /** Horizontal, of the left edge. */
  left: number;
  /** Vertical, of the upper edge. */
  top: number;
  /** Horizontal, of the right edge. */
  right: number;
  /** Vertical, of the lower edge. */
  bottom: number;
}

/** x' = a x + c y + e, y' = b x + d y + f, as in SVG. */
type Affine = [a: number, b: number, c: number, d: number, e: number, f: number];
const IDENTITY: Affine = [1, 0, 0, 1, 0, 0];

/** In the element's own coordinates; undefined if it shows no text and no rectangle. */
export function localBox(element: Element): Box | undefined {
  if (element.tagName === 'text') return textBox(element);
  if (element.tagName === 'rect') {
    const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => number(element.getAttribute(name)));
    return { left: x!, top: y!, right: x! + width!, bottom: y! + height! };
  }
  if (element.tagName === 'clipPath' || element.tagName === 'defs') return undefined;
  const boxes = [...element.children].flatMap((child) => {
    const box = localBox(child);
    return box ? [mapped(box, transformOf(child))] : [];
  });
  return boxes.length > 0 ? boxes.reduce(union) : undefined;
}

/** In the coordinates of the page; a point where there is nothing to see. */
export function pageBox(element: Element): Box {
  let box = localBox(element) ?? { left: 0, top: 0, right: 0, bottom: 0 };
  for (let at: Element | null = element; at && at.tagName !== 'DIV'; at = at.parentElement) {
    box = mapped(box, transformOf(at));
  }
  return box;
}

function textBox(element: Element): Box {
  const size = fontSize(element);
  const lines = [...element.querySelectorAll('tspan.line')];
  const rows = lines.length > 0 ? lines : [element];
  const width = largest(rows.map((row) => textWidth(row.textContent ?? '', size)));
  const [x, y] = [number(element.getAttribute('x')), number(element.getAttribute('y'))];
  const left = x - width * anchorOf(element);
  const top = y + shift(element.getAttribute('dy'), size) - 0.93 * size;
  return { left, top, right: left + width, bottom: top + size * (1.17 + 1.3 * (rows.length - 1)) };
}

/** `0.7em` or pixels. */
function shift(dy: string | null, size: number): number {
  return number(dy) * (dy?.endsWith('em') ? size : 1);
}

/** 0 where x is the text's beginning, 1 where it is its end. */
function anchorOf(element: Element): number {
  const anchor = inherited(element, 'text-anchor');
  return anchor === 'middle' ? 0.5 : anchor === 'end' ? 1 : 0;
}

function fontSize(element: Element): number {
  return number(inherited(element, 'font-size')) || 12;
}

function inherited(element: Element, property: string): string | undefined {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const style = new RegExp(`(?:^|;)\\s*${property}:\\s*([^;]+)`).exec(at.getAttribute('style') ?? '')?.[1];
    const value = style ?? at.getAttribute(property);
    if (value) return value.trim();
  }
  return undefined;
}

const number = (text: string | null | undefined): number => parseFloat(text ?? '') || 0;

function transformOf(element: Element): Affine {
  let result = IDENTITY;
  for (const [, name, list] of (element.getAttribute('transform') ?? '').matchAll(/(\w+)\(([^)]*)\)/g)) {
    const n = list!.split(/[\s,]+/).map(number);
    result = product(result, step(name!, n));
  }
  return result;
}

function step(name: string, n: readonly number[]): Affine {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = n;
  if (name === 'translate') return [1, 0, 0, 1, a, b];
  if (name === 'scale') return [a, 0, 0, n.length > 1 ? b : a, 0, 0];
  if (name === 'matrix') return [a, b, c, d, e, f];
  if (name !== 'rotate') return IDENTITY;
  const [cos, sin] = [Math.cos((a * Math.PI) / 180), Math.sin((a * Math.PI) / 180)];
  return product(product([1, 0, 0, 1, b, c], [cos, sin, -sin, cos, 0, 0]), [1, 0, 0, 1, -b, -c]);
}

function product(m: Affine, n: Affine): Affine {
  return [
    m[0] * n[0] + m[2] * n[1],
    m[1] * n[0] + m[3] * n[1],
    m[0] * n[2] + m[2] * n[3],
    m[1] * n[2] + m[3] * n[3],
    m[0] * n[4] + m[2] * n[5] + m[4],
    m[1] * n[4] + m[3] * n[5] + m[5],
  ];
}

function mapped(box: Box, [a, b, c, d, e, f]: Affine): Box {
  const corners = [box.left, box.right].flatMap((x) => [box.top, box.bottom].map((y) => [x, y] as const));
  const xs = corners.map(([x, y]) => a * x + c * y + e);
  const ys = corners.map(([x, y]) => b * x + d * y + f);
  return { left: smallest(xs), top: smallest(ys), right: largest(xs), bottom: largest(ys) };
}

function union(a: Box, b: Box): Box {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}
