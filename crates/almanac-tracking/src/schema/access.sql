-- Who may call the server: tokens of programs and passwords of people. Neither is kept, only what it is checked against.

CREATE TABLE access_tokens (
    token_id  TEXT  NOT NULL PRIMARY KEY,
    name      TEXT  NOT NULL,
    role      TEXT  NOT NULL CHECK (role IN ('viewer', 'planner', 'engineer', 'admin')),
    hash      TEXT  NOT NULL,
    created   {int} NOT NULL,
    expires   {int},
    revoked   {int},
    last_used {int}
);
CREATE UNIQUE INDEX access_tokens_named ON access_tokens (name) WHERE revoked IS NULL;

CREATE TABLE access_users (
    name      TEXT  NOT NULL PRIMARY KEY,
    role      TEXT  NOT NULL CHECK (role IN ('viewer', 'planner', 'engineer', 'admin')),
    password  TEXT  NOT NULL,
    created   {int} NOT NULL,
    last_used {int}
);
