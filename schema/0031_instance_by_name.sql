-- Who asks for an instance by its name, as every command of the command line does, had all of his account looked through.
create index instance_by_name on instance (name, created_at, id) where status <> 'deleted';
