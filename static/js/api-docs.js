// Draws the OpenAPI document with Swagger UI; a script of its own, because the policy allows no inline one.
const place = document.getElementById("docs");
window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // Nothing of what is tried here is remembered, and nothing is asked of another host.
  persistAuthorization: false,
  validatorUrl: null,
});
