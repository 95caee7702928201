BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE events (
	id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	first_at FLOAT NOT NULL, 
	stream_key VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	text TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	actor VARCHAR(64) NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "events" VALUES(1,5.0,5.0,'filloo','Från Göteborg','phase','delivering',1,'system');
INSERT INTO "events" VALUES(2,6.0,4.0,'mcastx','mc','retry','backing off: connection timeout',3,'operator at 127.0.0.1');
CREATE TABLE streams (
	"key" VARCHAR(32) NOT NULL, 
	stream_order VARCHAR(8) NOT NULL, 
	ordered_at FLOAT NOT NULL, 
	spec_json TEXT NOT NULL, 
	passphrase_token BLOB, 
	status_json TEXT, 
	PRIMARY KEY ("key")
);
INSERT INTO "streams" VALUES('filloo','run',1.0,'{"endpoint":{"mode":"listener","port":10001},"source":{"kind":"file","path":"bars.ts","loop":true},"name":"Från Göteborg","latency_ms":350,"overhead_percent":17,"smoothing_latency_ms":30,"encryption":{"key_bits":256},"qos":true}',X'674141414141427242646E415F4832495653574B32465A4675554D3933366153397058676966386B45714A626949596C434F536763336F716E724A6949353639644E45767A35387262786F4738517473307034555275774E6E6B63797853585631376B645372622D4C43684865524C69497A33454532553D','{"order":"run","phase":"delivering","since":7.5,"reason":null,"retry_at":null,"delivering_since":8.0,"attempts":2,"crashes":0,"restarts":0}');
INSERT INTO "streams" VALUES('mcastx','run',2.0,'{"endpoint":{"mode":"caller","host":"192.0.2.10","port":9000},"source":{"kind":"multicast","address":"239.1.1.1","port":1234,"interface":"eth0","protocol":"rtp","source_ip":"192.0.2.3"},"name":"","latency_ms":200,"overhead_percent":25,"smoothing_latency_ms":0,"encryption":null,"qos":false}',NULL,'{"order":"run","phase":"backing_off","since":9.0,"reason":"connection_timeout","retry_at":11.0,"delivering_since":null,"attempts":3,"crashes":0,"restarts":3}');
INSERT INTO "streams" VALUES('barsxx','stop',3.0,'{"endpoint":{"mode":"listener","port":10003},"source":{"kind":"bars","format":"1080i25"},"name":"","latency_ms":200,"overhead_percent":25,"smoothing_latency_ms":30,"encryption":null,"qos":true}',NULL,NULL);
CREATE INDEX events_by_stream ON events (stream_key, id);
COMMIT;
