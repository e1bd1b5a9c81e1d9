// An agent's own colours, with writing on them that can be read.

/** @param {{accent?: string, background?: string}} colours */
function rules({ accent, background }) {
  const found = [];
  if (accent) found.push(`--vv-accent: ${accent}; --vv-on-accent: ${readableOn(accent)};`);
  if (background)
    found.push(
      `color-scheme: ${readableOn(background) === "#ffffff" ? "dark" : "light"}; --vv-paper: ${background};`,
    );
  return found.join(" ");
}

/**
 * Put them on a page or into a shadow root. Adopted sheets are no inline styles, which strict pages
 * refuse.
 * @param {Document | ShadowRoot} root
 * @param {{accent?: string, background?: string}} colours
 */
export function paint(root, colours) {
  const text = rules(colours);
  if (!text) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`.vv { ${text} }`);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}

/** Black or white, whichever stands out more. @param {string} colour  `#rgb` or `#rrggbb`. */
export function readableOn(colour) {
  const digits = colour.slice(1).replace(/^(.)(.)(.)$/, "$1$1$2$2$3$3");
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const part = parseInt(digits.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000";
}
