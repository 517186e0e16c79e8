-- Ids and codes compare by their bytes: pages go on where they ended, whatever the server's locale.

create table titles (
    id text collate "C" primary key,
    kind text not null check (kind in ('movie', 'series', 'episode')),
    series text collate "C" references titles on delete cascade,
    season integer check (season >= 0),
    episode integer check (episode >= 0),
    names jsonb not null,
    synopses jsonb not null,
    year integer,
    genres text[] not null,
    maturity text,
    duration_seconds double precision,
    languages text[] not null,
    subtitles text[] not null,
    artwork jsonb not null,
    words tsvector not null,
    added timestamptz not null default now(),
    check ((kind = 'episode') = (series is not null))
);
create index titles_words on titles using gin (words);
create index titles_genres on titles using gin (genres);
create index titles_added on titles (added desc, id) where kind <> 'episode';
create index titles_series on titles (series, season, episode) where series is not null;

create table windows (
    title text collate "C" not null references titles on delete cascade,
    opens timestamptz not null,
    closes timestamptz not null,
    countries text[],
    check (opens < closes)
);
create index windows_title on windows (title);

create table renditions (
    title text collate "C" not null references titles on delete cascade,
    key text collate "C" not null,
    version text not null,
    size bigint not null,
    language text,
    primary key (title, key)
);

create table text_tracks (
    title text collate "C" not null references titles on delete cascade,
    key text collate "C" not null,
    version text not null,
    size bigint not null,
    language text not null,
    forced boolean not null,
    hearing_impaired boolean not null,
    primary key (title, key)
);

-- Without a window a title is available always and everywhere.
create function has_window(wanted text, country text, moment timestamptz) returns boolean
language sql stable as $$
    select not exists (select from windows where title = wanted)
        or exists (
            select from windows
            where title = wanted and opens <= moment and moment < closes
                and (countries is null or country = any (countries))
        )
$$;

create table plans (
    name text collate "C" primary key,
    streams integer not null check (streams > 0),
    everything boolean not null
);
insert into plans values ('basic', 1, true), ('standard', 2, true), ('premium', 4, true);

create table plan_titles (
    plan text collate "C" not null references plans on delete cascade,
    title text collate "C" not null references titles on delete cascade,
    primary key (plan, title)
);

create table accounts (
    id text collate "C" primary key,
    email text collate "C" not null constraint email unique,
    password_hash text not null,
    name text not null,
    language text not null,
    plan text collate "C" not null references plans,
    role text not null check (role in ('viewer', 'admin')),
    disabled boolean not null default false,
    created timestamptz not null default now()
);

create table profiles (
    id text collate "C" primary key,
    account text collate "C" not null references accounts on delete cascade,
    name text not null,
    colour text not null,
    language text not null,
    kids boolean not null,
    constraint name unique (account, name)
);

create table progress (
    profile text collate "C" not null references profiles on delete cascade,
    title text collate "C" not null references titles on delete cascade,
    position double precision not null,
    duration double precision not null,
    updated timestamptz not null,
    primary key (profile, title)
);
create index progress_updated on progress (profile, updated desc);

create table my_list (
    profile text collate "C" not null references profiles on delete cascade,
    title text collate "C" not null references titles on delete cascade,
    added timestamptz not null default clock_timestamp(),
    primary key (profile, title)
);

create table audit (
    id text collate "C" primary key,
    at timestamptz not null default clock_timestamp(),
    actor text not null,
    action text not null,
    subject text not null,
    details jsonb not null
);
