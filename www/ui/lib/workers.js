// workers.js - the only scripts that are ever run by their address: the policy of Trusted Types names them.

const ALLOWED = ['/vendor/swagger-ui-dist/swagger-ui-bundle.js', '/vendor/pdfjs-dist/legacy/build/pdf.worker.min.mjs', '/ui/worker/upload.js'];

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

/** A script that is no module. @param {string} address @returns {Promise<void>} */
export function loadScript(address) {
	return new Promise((done, fail) => {
		const script = document.createElement('script');
		script.src = policy ? policy.createScriptURL(address) : address;
		script.addEventListener('load', () => done());
		script.addEventListener('error', () => fail(new Error(address)));
		document.head.append(script);
	});
}
