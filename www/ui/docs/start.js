// start.js - the API, explorable: swagger-ui over openapi.json. A document of its own, since swagger-ui writes HTML from text,
// which the policy of our own pages forbids.

/** @type {any} */ (globalThis).SwaggerUIBundle({
	url: '/api/v1/openapi.json', domNode: document.getElementById('swagger'), deepLinking: false, docExpansion: 'list', defaultModelsExpandDepth: 0, validatorUrl: null,
});
