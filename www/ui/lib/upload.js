// upload.js - files on their way to the server: one worker for all, a list of what is under way for a page.

import { useRef, useState, useEffect, language } from './view.js';
import { fresh, remove } from './api.js';
import { startWorker } from './workers.js';

/**
 * @typedef {{ key: string, name: string, size: number, media: string, note: string, state: 'waiting' | 'sending' | 'checking' | 'done' | 'failed' | 'lost',
 *   sent: number, upload?: string, sha256?: string, problem?: string, file?: File }} Sending
 */

/** @type {Worker | undefined} */
let worker;
/** @type {Map<string, (message: any) => void>} */
const waiting = new Map();

function start() {
	if (!worker) {
		worker = startWorker('/ui/worker/upload.js');
		worker.addEventListener('message', (event) => waiting.get(event.data.key)?.(event.data));
	}
	return worker;
}

/** The files of a form. @param {Sending[]} [first] those that a draft knows */
export function useUploads(first = []) {
	const [list, setList] = useState(first);
	const alive = useRef(true);
	const now = useRef(list);
	now.current = list;
	/** @param {string} key @param {Partial<Sending>} changes */
	const change = (key, changes) => alive.current && setList((old) => old.map((one) => (one.key === key ? { ...one, ...changes } : one)));
	/** @param {string} key @param {File} file @param {string} [upload] */
	const begin = (key, file, upload) => {
		waiting.set(key, (message) => change(key, message));
		start().postMessage({ act: 'send', key, file, upload, language: language.value });
	};
	useEffect(() => {
		alive.current = true;
		return () => {
			alive.current = false;
			for (const one of now.current)
				if (one.state === 'sending' || one.state === 'waiting')
					worker?.postMessage({ act: 'stop', key: one.key });
		};
	}, []);
	return {
		list,
		/** What a draft knows. @param {Sending[]} kept */
		restore: (kept) => setList(kept),
		/** @param {Iterable<File>} files @returns {Sending[]} */
		add: (files) => {
			/** @type {Sending[]} */
			const added = [];
			for (const file of files) {
				const lost = now.current.find((one) => one.state === 'lost' && one.name === file.name && one.size === file.size);
				if (lost) {
					change(lost.key, { state: 'waiting', file });
					begin(lost.key, file, lost.upload);
					continue;
				}
				/** @type {Sending} */
				const one = { key: fresh(), name: file.name, size: file.size, media: file.type, note: '', state: 'waiting', sent: 0, file };
				added.push(one);
				begin(one.key, file);
			}
			if (added.length)
				setList((old) => [...old, ...added]);
			return added;
		},
		/** @param {string} key */
		again: (key) => {
			const one = now.current.find((other) => other.key === key);
			if (one?.file) {
				change(key, { state: 'waiting', problem: undefined });
				begin(key, one.file, one.upload);
			}
		},
		/** @param {string} key */
		drop: (key) => {
			const one = now.current.find((other) => other.key === key);
			worker?.postMessage({ act: 'stop', key });
			waiting.delete(key);
			setList((old) => old.filter((other) => other.key !== key));
			if (one?.upload)
				remove(`/uploads/${one.upload}`).catch(() => {});
		},
		change,
		busy: list.some((one) => one.state === 'waiting' || one.state === 'sending' || one.state === 'checking'),
	};
}

/** Files of a drop, of folders too. @param {DataTransfer} transfer @returns {Promise<File[]>} */
export async function filesOf(transfer) {
	/** @type {File[]} */
	const files = [];
	/** @param {any} entry */
	const walk = async (entry) => {
		if (entry.isFile) {
			files.push(await new Promise((done, fail) => entry.file(done, fail)));
		} else if (entry.isDirectory) {
			const reader = entry.createReader();
			for (;;) {
				/** @type {any[]} */
				const some = await new Promise((done, fail) => reader.readEntries(done, fail));
				if (!some.length)
					break;
				for (const one of some)
					await walk(one);
			}
		}
	};
	const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
	if (!entries.length)
		return [...transfer.files];
	for (const entry of entries)
		await walk(entry);
	return files.filter((file) => !file.name.startsWith('.'));
}
