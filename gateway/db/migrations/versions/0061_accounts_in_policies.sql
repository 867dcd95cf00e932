-- Shared routes, owners, Regions and the rates of pictures and calls are read with a tenant's policy, as the tier is.

DROP TRIGGER policy_version_of_tier ON aws_accounts;
CREATE TRIGGER policy_version AFTER UPDATE OF name, region, shared_routes, owner_id, media_per_second,
    voice_per_second, sandbox ON aws_accounts
    FOR EACH ROW
    WHEN ((OLD.name, OLD.region, OLD.shared_routes, OLD.owner_id, OLD.media_per_second, OLD.voice_per_second,
        OLD.sandbox) IS DISTINCT FROM (NEW.name, NEW.region, NEW.shared_routes, NEW.owner_id,
        NEW.media_per_second, NEW.voice_per_second, NEW.sandbox))
    EXECUTE FUNCTION tollgate_raise_every_policy_version();
