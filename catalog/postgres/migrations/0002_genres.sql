-- What browsing and the home page read, in the order in which they show it: however many titles
-- there are, no more of them are looked at than are shown.

create table title_genres (
    genre text not null,
    title text collate "C" not null references titles on delete cascade,
    kind text not null,
    added timestamptz not null,
    primary key (genre, title)
);
create index title_genres_title on title_genres (title);
create index title_genres_added on title_genres (genre, added desc, title) where kind <> 'episode';

create function keep_title_genres() returns trigger language plpgsql as $$
begin
    delete from title_genres where title = new.id;
    insert into title_genres
        select distinct genre, new.id, new.kind, new.added from unnest(new.genres) genre;
    return null;
end
$$;
create trigger title_genres after insert or update of genres, kind, added on titles
    for each row execute function keep_title_genres();
insert into title_genres
    select distinct genre, id, kind, added from titles, unnest(genres) genre;
drop index titles_genres;

create index titles_kind on titles (kind, id);
create index titles_shown on titles (id) where kind <> 'episode';
create index titles_kind_added on titles (kind, added desc, id) where kind <> 'episode';
