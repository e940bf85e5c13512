// What the tests measure inside a page. Each returns a list of faults in words, or a number.

window.measure ??= (() => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const TICKS = "input[type=checkbox], input[type=radio]";
  const SMALLEST = 24;
  const COMFORTABLE = 44;
  const MAIN_ACTION = 48;
  const ROUNDING = 0.5;

  const shown = (element) => {
    if (!element.checkVisibility({ visibilityProperty: true })) return false;
    if (element.closest(".hidden:not(:focus)")) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && box.bottom + scrollY > 0;
  };
  const named = (element) => {
    const words = (element.innerText || element.value || element.getAttribute("aria-label") || "").trim();
    const sort = typeof element.className === "string" && element.className ? `.${element.className.replaceAll(" ", ".")}` : "";
    return `${element.tagName.toLowerCase()}${sort} “${words.replace(/\s+/g, " ").slice(0, 40)}”`;
  };
  const sized = (box) => `${Math.round(box.width * 10) / 10} × ${Math.round(box.height * 10) / 10}`;
  // A tick box is as large as its label.
  const target = (element) => (element.matches(TICKS) && element.closest("label")) || element;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);

  function sideways() {
    const page = document.scrollingElement;
    return page.scrollWidth - page.clientWidth;
  }

  function inSentence(element) {
    if (getComputedStyle(element).display !== "inline") return false;
    return [...element.parentElement.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  }

  function small() {
    const boxes = new Map([...new Set(all(CONTROLS).map(target))].map((element) => [element, element.getBoundingClientRect()]));
    const near = (box, other) => {
      const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      const [dx, dy] = [Math.max(other.left - x, 0, x - other.right), Math.max(other.top - y, 0, y - other.bottom)];
      return Math.hypot(dx, dy) < SMALLEST / 2;
    };
    const faults = [];
    for (const [element, box] of boxes) {
      if (Math.min(box.width, box.height) >= SMALLEST - ROUNDING || inSentence(element)) continue;
      const crowded = [...boxes].some(([other, otherBox]) => other !== element && !element.contains(other) && near(box, otherBox));
      if (crowded) faults.push(`${named(element)} is ${sized(box)} and not alone`);
    }
    return faults;
  }

  function uncomfortable() {
    const faults = [];
    const wanted = `button, .button, input:not([type=hidden]), select, textarea, summary, nav a, header a, .go`;
    for (const element of new Set(all(wanted).map(target))) {
      const box = element.getBoundingClientRect();
      if (Math.min(box.width, box.height) < COMFORTABLE - ROUNDING) faults.push(`${named(element)} is ${sized(box)}`);
    }
    for (const element of all("form[data-busy] button:not(.quiet, .plain)")) {
      const box = element.getBoundingClientRect();
      if (box.height < MAIN_ACTION - ROUNDING) faults.push(`${named(element)} is ${sized(box)}, a main action`);
    }
    return faults;
  }

  function texts() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (!node.data.trim() || !shown(node.parentElement)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      found.push([node.parentElement, [...range.getClientRects()].filter((box) => box.width > 0)]);
    }
    return found;
  }

  function cut() {
    const faults = new Set();
    for (const [parent, boxes] of texts()) {
      const frame = parent.closest("button, .button, a, td, th, label, .badge, .count, .card, .lit-card, .notice, .tabs li");
      const outer = frame?.getBoundingClientRect();
      for (const box of boxes) {
        if (box.left < -1 || box.right > innerWidth + 1) faults.add(`${named(parent)} leaves the screen`);
        if (!outer) continue;
        const over = Math.max(outer.left - box.left, box.right - outer.right, outer.top - box.top, box.bottom - outer.bottom);
        if (over > 2) faults.add(`${named(parent)} leaves ${named(frame)} by ${Math.round(over)} px`);
      }
    }
    for (const element of all("body *")) {
      const style = getComputedStyle(element);
      if (style.overflow === "visible" || element.matches("input, select, textarea, svg, svg *, .icon")) continue;
      const over = Math.max(element.scrollWidth - element.clientWidth, element.scrollHeight - element.clientHeight);
      if (over > 1) faults.add(`${named(element)} hides ${over} px`);
    }
    return [...faults];
  }

  function fixedShare() {
    const fixed = all("body *").filter((element) => ["fixed", "sticky"].includes(getComputedStyle(element).position));
    const wide = fixed.map((element) => element.getBoundingClientRect()).filter((box) => box.width > innerWidth / 2);
    const heights = wide.map((box) => Math.max(Math.min(box.bottom, innerHeight) - Math.max(box.top, 0), 0));
    return heights.reduce((sum, height) => sum + height, 0) / innerHeight;
  }

  const channels = (color) => {
    const parts = color.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts[3] ?? 1 };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { rgb, alpha } = channels(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return rgb;
    }
    return channels(getComputedStyle(document.documentElement).backgroundColor).rgb;
  };

  // The edge of a control or of a sign: its border, or its own surface against what is behind it.
  function faint() {
    const faults = new Set();
    const text = "input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea";
    for (const element of all(`button:not(.plain), .button, ${text}, .pips i, .count, .switch a, .badge`)) {
      const style = getComputedStyle(element);
      const outside = behind(element.parentElement);
      const border = channels(style.borderTopColor);
      const surface = channels(style.backgroundColor);
      const ratios = [
        parseFloat(style.borderTopWidth) >= 1 && border.alpha === 1 ? contrast(border.rgb, outside) : 1,
        surface.alpha === 1 ? contrast(surface.rgb, outside) : 1,
      ];
      if (Math.max(...ratios) < 3) faults.add(`${named(element)} stands out by ${Math.max(...ratios).toFixed(2)}`);
    }
    return [...faults];
  }

  // In forced colours only borders are left to tell a control or a card from what is around it.
  function edgeless() {
    const faults = new Set();
    for (const element of all("button:not(.plain), .button, input:not([type=hidden], [type=checkbox], [type=radio]), .card, .lit-card, .badge, .notice, .count, .pips i")) {
      const style = getComputedStyle(element);
      const drawn = parseFloat(style.borderTopWidth) >= 1 && style.borderTopStyle !== "none";
      const { rgb, alpha } = channels(style.borderTopColor);
      if (!drawn || alpha === 0 || contrast(rgb, behind(element.parentElement)) < 3) faults.add(named(element));
    }
    return [...faults];
  }

  function moving() {
    const still = new Set(["offset", "computedOffset", "easing", "composite", "pointerEvents"]);
    for (const button of document.querySelectorAll("main button")) button.setAttribute("aria-busy", "true");
    const animations = document.getAnimations().filter((animation) => animation instanceof CSSAnimation
      && animation.effect.getKeyframes().some((frame) => Object.keys(frame).some((property) => !still.has(property))));
    for (const button of document.querySelectorAll("main button")) button.removeAttribute("aria-busy");
    const changing = all("body *").filter((element) =>
      getComputedStyle(element).transitionDuration.split(", ").some((time) => parseFloat(time) > 0));
    return [...new Set([...animations.map((animation) => animation.effect.target), ...changing].map(named))];
  }

  const focusable = () => [...document.querySelectorAll(`${CONTROLS}, [tabindex="0"]`)].filter((element) => {
    if (!element.checkVisibility({ visibilityProperty: true })) return false;
    // A group of radio buttons is one stop: the chosen one, or the first.
    const group = element.matches("input[type=radio]")
      ? [...document.querySelectorAll(`[name="${element.name}"]`)].filter((one) => one.form === element.form) : [element];
    const stop = group.find((one) => one.checked) ?? group[0];
    return !element.disabled && element.tabIndex >= 0 && (group.length === 1 || element === stop);
  });

  // The focused control: which it is, how strong its ring is, and whether something lies over it.
  function focused(controls) {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const box = target(element).getBoundingClientRect();
    const spots = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]];
    const covered = spots.filter(([x, y]) => {
      const top = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
      return !top || !(target(element).contains(top) || top.contains(element));
    });
    return {
      index: controls.indexOf(element),
      name: named(element),
      ring: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
      ringContrast: contrast(channels(style.outlineColor).rgb, behind(element.parentElement)),
      covered: covered.length,
      top: Math.round(box.top + scrollY),
      inMain: Boolean(element.closest("main")),
    };
  }

  return { sideways, small, uncomfortable, cut, fixedShare, faint, edgeless, moving, focusable, focused };
})();
