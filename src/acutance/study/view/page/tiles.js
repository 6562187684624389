// Pictures as pieces of 512 px at every halving. Two sources of one form:
// piece(item, layer, level, x, y) gives {image, sx, sy, w, h}, or null while it is on its way.
const TILE = 512;

function levelsOf(width, height) {
  let count = 1;
  while (Math.max(width, height) > TILE * 2 ** (count - 1)) count++;
  return count;
}

// Pieces that the server makes when they are asked for. What is wanted is told anew with every
// frame, so that nothing is loaded for a place that has been left.
class Served {
  constructor(changed, failed) {
    this.changed = changed;
    this.failed = failed;
    this.kept = new Map(); // address -> bitmap, the oldest first
    this.most = 180; // of 1 MiB each
    this.busy = new Set();
    this.refused = new Set();
    this.wanted = [];
  }

  async ask(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  info(item) { return this.ask(`info/${item}`); }
  scores(item) { return this.ask(`scores/${item}`); }
  lossMap(item, side, loss, x, y) {
    const query = new URLSearchParams({ loss, x: Math.round(x), y: Math.round(y) });
    return this.ask(`loss/${item}/${side}?${query}`);
  }

  begin() { this.wanted = []; }

  piece(item, layer, level, x, y) {
    const gain = layer.gain ? `?gain=${layer.gain}` : "";
    const address = `tile/${item}/${layer.id}/${level}/${x}/${y}${gain}`;
    const bitmap = this.kept.get(address);
    if (bitmap) {
      this.kept.delete(address);
      this.kept.set(address, bitmap);
      return { image: bitmap, sx: 0, sy: 0, w: bitmap.width, h: bitmap.height };
    }
    if (!this.refused.has(address)) this.wanted.push({ address, level });
    return null;
  }

  end() {
    this.wanted.sort((a, b) => b.level - a.level); // a blurred whole before a sharp part
    this.pump();
  }

  pump() {
    for (const { address } of this.wanted) {
      if (this.busy.size >= 6) return;
      if (!this.busy.has(address) && !this.kept.has(address)) this.load(address);
    }
  }

  async load(address) {
    this.busy.add(address);
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(await answer.text());
      this.kept.set(address, await createImageBitmap(await answer.blob()));
      while (this.kept.size > this.most) {
        const [oldest, bitmap] = this.kept.entries().next().value;
        bitmap.close();
        this.kept.delete(oldest);
      }
    } catch (error) {
      this.refused.add(address);
      this.failed(error.message);
    }
    this.busy.delete(address);
    this.changed();
  }
}

// Whole pictures that the page carries: halved here, differences worked out here.
class Embedded {
  constructor(data, changed, failed) {
    this.data = data;
    this.changed = changed;
    this.failed = failed;
    this.made = new Map(); // item/layer/gain -> canvases by level, null while on the way
    this.most = 40;
  }

  async info(item) { return this.data.items[item].info; }
  async scores(item) { return this.data.items[item].scores; }
  async lossMap(item, side) {
    const found = this.data.items[item].losses[side];
    if (!found) throw new Error("This page carries no map of a loss here. Open it by: acutance view ... without -o.");
    return found;
  }

  begin() {}
  end() {}

  piece(item, layer, level, x, y) {
    const key = `${item}/${layer.id}/${layer.gain || 1}`;
    const levels = this.made.get(key);
    if (!levels) {
      if (levels === undefined) this.make(key, item, layer);
      return null;
    }
    const image = levels[Math.min(level, levels.length - 1)];
    const sx = x * TILE, sy = y * TILE;
    return { image, sx, sy, w: Math.min(TILE, image.width - sx), h: Math.min(TILE, image.height - sy) };
  }

  async make(key, item, layer) {
    this.made.set(key, null);
    try {
      this.made.set(key, halvings(await this.whole(item, layer)));
      for (const old of this.made.keys()) {
        if (this.made.size <= this.most) break;
        if (this.made.get(old)) this.made.delete(old);
      }
    } catch (error) {
      this.failed(error.message);
    }
    this.changed();
  }

  async whole(item, layer) {
    const [kind, first, second] = [layer.id[0], ...layer.id.slice(1).split("-")];
    if (kind === "d") {
      return difference(await this.shown(item, first), await this.shown(item, second), layer.gain, false);
    }
    if (kind === "e") {
      return difference(await this.shown(item, first), await this.shown(item, "r"), layer.gain, true);
    }
    return this.shown(item, layer.id);
  }

  async shown(item, id) {
    const text = this.data.items[item].pictures[/^\d+$/.test(id) ? `s${id}` : id];
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = blank(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    return canvas;
  }
}

function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

function halvings(canvas) {
  const found = [canvas];
  for (let k = 1; k < levelsOf(canvas.width, canvas.height); k++) {
    const large = found[k - 1];
    const small = blank(Math.ceil(large.width / 2), Math.ceil(large.height / 2));
    small.getContext("2d").drawImage(large, 0, 0, large.width / 2, large.height / 2);
    found.push(small);
  }
  return found;
}

// |a - b| times gain: in its own colours, or as the heat of its mean over the channels.
function difference(a, b, gain, asHeat) {
  if (a.width !== b.width || a.height !== b.height) throw new Error("Pictures of different sizes have no difference.");
  const one = a.getContext("2d").getImageData(0, 0, a.width, a.height);
  const two = b.getContext("2d").getImageData(0, 0, a.width, a.height).data;
  const data = one.data;
  for (let k = 0; k < data.length; k += 4) {
    const d = [0, 1, 2].map((c) => Math.abs(data[k + c] - two[k + c]));
    if (asHeat) {
      const place = 3 * Math.min(255, Math.floor((gain * (d[0] + d[1] + d[2])) / 3));
      for (let c = 0; c < 3; c++) data[k + c] = HEAT[place + c];
    } else {
      for (let c = 0; c < 3; c++) data[k + c] = Math.min(255, gain * d[c]);
    }
  }
  const canvas = blank(a.width, a.height);
  canvas.getContext("2d").putImageData(one, 0, 0);
  return canvas;
}
