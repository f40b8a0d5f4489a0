//! The HTTP edge: routes, authentication, problems, OpenAPI, pages.
