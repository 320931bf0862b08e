// What the API answers, as far as the pages use it. doc/verbs.md and openapi.json are the law.

export interface Session {
	account: string;
	name: string;
	role: 'reader' | 'filer' | string;
	roles?: string[];
	language?: string;
	expires?: string;
	must_change?: boolean;
}

export interface Status {
	sealed: boolean;
	demonstration?: boolean;
	program?: string;
	archive?: string;
	language?: string;
	records?: number;
	actions?: number;
	indexed?: number;
	lag?: { registry: number; index: number };
	problems?: string[];
	[other: string]: any;
}

export interface SeriesRow {
	code: string;
	title: string;
	number: string;
	departments?: string[];
	sensitivity: string;
	version: number;
	records: number;
}

export interface Choice {
	name: string;
	label: string;
}

export interface Field {
	name: string;
	label: string;
	type: string;
	required?: boolean;
	sensitive?: boolean;
	several?: boolean;
	choices?: Choice[];
	columns?: Field[];
	required_when?: { field: string; values: string[] };
	max_chars?: number;
	pattern?: string;
}

export interface Series {
	code: string;
	title: { zh: string; en: string };
	number: string;
	given?: string;
	date_field?: string;
	departments?: { name: string; code?: string }[];
	retention: { code: string; title: string }[];
	sensitivity: string;
	fields: Field[];
	text?: string;
	definition: string;
	record_number?: string;
	version: number;
}

export interface Part {
	id: string;
	name: string;
	media: string;
	note?: string;
	size: number;
	sha256: string;
	text?: { reason: string; pages: number; sentence?: string };
}

export interface ShownField {
	name: string;
	label: string;
	type: string;
	text: string;
	value?: any;
}

export interface HistoryRow {
	version: number;
	act: string;
	at: string;
	account: string;
	name?: string;
	reason?: string;
	title: string;
	commit?: string;
	volume?: number;
	fingerprint?: string;
	signature?: string;
}

export interface Shown {
	record: string;
	number: string;
	drawn: boolean;
	version: number;
	versions: number;
	path: string;
	series: string;
	series_title: string;
	definition: string;
	department: string;
	date: string;
	title: string;
	at: string;
	account: string;
	name?: string;
	reason?: string;
	fields: ShownField[];
	parts: Part[];
	links: { rel: string; record: string; number?: string }[];
	retention: (string | { code: string; title: string })[];
	history: HistoryRow[];
	destroyed?: boolean;
}

export interface Row {
	record: string;
	number: string;
	version: number;
	series: string;
	series_title: string;
	department: string;
	date: string;
	type: string;
	title: string;
	at: string;
	account: string;
	name?: string;
	parts: number;
	destroyed: boolean;
}

export interface Job {
	job: string;
	verb: string;
	state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | string;
	account?: string;
	name?: string;
	since?: string;
	started?: string;
	ended?: string;
	progress?: { stage: string; unit: string; done: number; total: number; rate?: number; eta?: number; text?: string };
	result?: any;
	error?: { code: string; text: string };
	[other: string]: any;
}
