// workers.js - the only scripts that are ever run by their address: the policy of Trusted Types names them.

const ALLOWED = ['/vendor/pdfjs-dist/legacy/build/pdf.worker.min.mjs', '/ui/worker/upload.js'];

/** @type {any} */
const types = /** @type {any} */ (globalThis).trustedTypes;
const policy = types?.createPolicy('worker', {
	/** @param {string} address */
	createScriptURL: (address) => {
		if (!ALLOWED.includes(address))
			throw new TypeError(`not a worker of ours: ${address}`);
		return address;
	},
});

/** @param {string} address */
export function startWorker(address) {
	return new Worker(policy ? policy.createScriptURL(address) : address, { type: 'module' });
}
