// What the page's data looks like, for the checker alone: `page_data.py` and `cards.py` write it.

interface AssetData {
  asset?: string;
  shape: "picture" | "video" | "audio" | "mesh" | "text" | "file" | "absent";
  path?: string;
  mime?: string;
  bytes?: number;
  size?: string;
  width?: number;
  height?: number;
  duration?: number;
  type?: string;
  picture?: string;
  still?: string;
  excerpt?: string;
  trouble?: string;
  mark?: "kept" | "rejected";
  note?: string;
}

interface StepData {
  id: string;
  status: string;
  card: number | null;
  shape: AssetData["shape"];
  preview: string;
  asset_id: string;
  cost: string;
  time: string;
  error: string;
}

interface StripData {
  before: number;
  count: number;
  cost: string;
  steps: { more: number; made: StepData[] }[];
}

interface EarlierData {
  job_id?: string;
  prompt?: string;
  model?: string;
  status?: string;
  facts?: string;
  asset_ids?: string[];
  files?: { path: string; picture?: string; mark?: string }[];
}

interface JobData {
  n: number;
  id: string;
  prompt?: string;
  title?: string;
  model: string;
  status: string;
  entry?: string;
  vars?: Record<string, string>;
  tags?: string[];
  error?: string;
  command?: string;
  charged?: number;
  seconds?: number;
  at?: string;
  facts?: [string, string][];
  earlier?: EarlierData[];
  redo?: { status?: string; error?: string; job_id?: string };
  strip?: StripData;
  removed?: boolean;
  cards: AssetData[];
}

interface CostLine {
  name: string;
  jobs: number;
  succeeded: number;
  quoted: string;
  charged: string;
  refunded: string;
  net: string;
}

interface HeadData {
  batch: string;
  slot: string;
  written: string;
  words: Record<string, string>;
  costs: Record<string, CostLine[]>;
  retry: string;
  leftOut: number;
  alone: boolean;
  files: Record<string, string>;
}

interface Picture {
  src: string;
  width: number;
  height: number;
  clear: boolean;
}

/** One asset, or a job that has none. `at` is its place in the manifest's order. */
interface Card {
  at: number;
  key: string;
  job: JobData;
  asset: AssetData;
  title: string;
}

interface Dimension {
  key: string;
  label: string;
  of: (card: Card) => string;
}

interface Facet {
  key: string;
  label: string;
  of: (card: Card) => readonly string[];
  word: (value: string) => string;
}

interface State {
  q: string;
  only: Record<string, string[]>;
  group: string;
  rows: string;
  cols: string[];
  sort: string;
  size: string;
  page: number;
  card: string;
  view: string;
  compare: string[];
}

/** Cards that stand together: in lines one after the other, or in rows under columns. */
interface Group {
  title: string;
  count: number;
  ratio: number;
  columns: string[][];
  rows: { label: string; cells: Card[][] }[];
}

interface Cell {
  card: Card;
  x: number;
  variant: string;
}

interface Line {
  kind: "title" | "heads" | "label" | "cards";
  y: number;
  height: number;
  text: string;
  count: number;
  group: number;
  heads: { text: string; x: number; y: number; width: number }[];
  cells: Cell[];
  width: number;
  stage: number;
  compact: boolean;
}
