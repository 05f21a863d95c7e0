/* feat/later/names.c - words of HAProxy 3.4 and 2.6 that this program has not (conf/later.h). The lists shrink: when a row
 * of the name comes, `tools/later --prune` takes it off. Names are facts; they are those of HAProxy's manual and of what
 * `haproxy -dKall` lists. Not planned (.never): Lua, SPOE, FastCGI, QUIC, device databases. */
#include "conf/later.h"
#include "core/kinds.h"

/* tools/later lays the names out: */
/* clang-format off */

LATER_TABLE(section, .what = LATER_SECTION, .names =
        "acme,cache,crt-store,healthcheck,log-forward,mailers,peers,traces");

LATER_TABLE(section_never, .what = LATER_SECTION, .never = true, .names =
        "fcgi-app");

LATER_TABLE(global, .what = LATER_KEYWORD, .kinds = KIND_GLOBAL, .names =
        "acme.scheduler,anonkey,cluster-secret,cpu-affinity,cpu-policy,cpu-set,default-path,dns-accept-family,"
        "force-cfg-parser-pause,h1-accept-payload-with-any-method,h1-case-adjust,h1-case-adjust-file,"
        "h1-do-not-close-on-insecure-transfer-encoding,h2-workaround-bogus-websocket-clients,"
        "harden.reject-privileged-ports.tcp,httpclient.resolvers.disabled,httpclient.resolvers.id,"
        "httpclient.resolvers.prefer,httpclient.retries,httpclient.ssl.ca-file,httpclient.ssl.verify,"
        "httpclient.timeout.connect,jwt.decrypt_alg_list,jwt.decrypt_enc_list,localpeer,maxcompcpuusage,maxcomprate,"
        "maxzlibmem,mworker-max-reloads,noreuseport,numa-cpu-mapping,pp2-never-send-local,server-state-base,"
        "server-state-file,set-dumpable,setcap,shm-stats-file,shm-stats-file-max-objects,ssl-engine,ssl-passphrase-cmd,"
        "ssl-propquery,ssl-provider,ssl-provider-path,stats-file,strict-limits,tune.cli.max-payload-size,"
        "tune.comp.maxlevel,tune.fail-alloc,tune.glitches.kill.cpu-usage,tune.h1.be.glitches-threshold,"
        "tune.h1.fe.glitches-threshold,tune.h2.be.glitches-threshold,tune.h2.be.initial-window-size,"
        "tune.h2.be.max-concurrent-streams,tune.h2.be.max-frames-at-once,tune.h2.be.rxbuf,tune.h2.fe.glitches-threshold,"
        "tune.h2.fe.initial-window-size,tune.h2.fe.max-concurrent-streams,tune.h2.fe.max-frames-at-once,"
        "tune.h2.fe.max-rst-at-once,tune.h2.fe.max-total-streams,tune.h2.fe.rxbuf,tune.h2.header-table-size,"
        "tune.h2.initial-window-size,tune.h2.log-errors,tune.h2.max-concurrent-streams,tune.h2.max-frame-size,"
        "tune.max-checks-per-thread,tune.max-rules-at-once,tune.peers.max-updates-at-once,tune.renice.runtime,"
        "tune.renice.startup,tune.ring.queues,tune.streams-elasticity,tune.zlib.memlevel,tune.zlib.windowsize,unix-bind,"
        "warn-blocked-traffic-after");

LATER_TABLE(global_never, .what = LATER_KEYWORD, .kinds = KIND_GLOBAL, .never = true, .names =
        "51degrees-*,deviceatlas-*,harden.reject-privileged-ports.quic,limited-quic,lua-*,tune.lua.*,tune.quic.*,wurfl-*");

LATER_TABLE(proxy, .what = LATER_KEYWORD, .kinds = KIND_PROXY, .names =
        "clitcpka-cnt,clitcpka-idle,clitcpka-intvl,compression algo,compression algo-req,compression algo-res,"
        "compression direction,compression minsize-req,compression minsize-res,compression offload,compression type,crt,"
        "email-alert from,email-alert level,email-alert mailers,email-alert myhostname,email-alert to,filter bwlim-in,"
        "filter bwlim-out,filter cache,filter comp-req,filter comp-res,filter compression,filter opentracing,"
        "filter trace,filter-sequence,force-be-switch,guid,load-server-state-from-file,option checkcache,"
        "option forwarded,option h1-case-adjust-bogus-client,option h1-case-adjust-bogus-server,option httpslog,"
        "persist rdp-cookie,server-state-file-name,srvtcpka-cnt,srvtcpka-idle,srvtcpka-intvl,ssl-f-use");

LATER_TABLE(proxy_never, .what = LATER_KEYWORD, .kinds = KIND_PROXY, .never = true, .names =
        "filter fcgi-app,filter spoe,option spop-check,quic-initial,use-fcgi-app");

LATER_TABLE(bind, .what = LATER_KEYWORD, .kinds = KIND_ANY_BIND, .names =
        "accept-netscaler-cip,allow-0rtt,alpn,ca-file,ca-ignore-err,ca-sign-file,ca-sign-pass,ca-verify-file,cc,ciphers,"
        "ciphersuites,client-sigalgs,crl-file,crt,crt-ignore-err,crt-list,curves,default-crt,ecdhe,ech,force-sslv3,"
        "force-tlsv10,force-tlsv11,force-tlsv12,force-tlsv13,generate-certificates,guid-prefix,ktls,label,nbconn,"
        "no-ca-names,no-sslv3,no-tlsv10,no-tlsv11,no-tlsv12,no-tlsv13,npn,prefer-client-ciphers,proto,severity-output,"
        "sigalgs,ssl,ssl-max-ver,ssl-min-ver,strict-sni,tcp-md5sig,tcp-ss,tls-ticket-keys,tls-tickets,verify");

LATER_TABLE(bind_never, .what = LATER_KEYWORD, .kinds = KIND_ANY_BIND, .never = true, .names =
        "quic-cc-algo,quic-force-retry,quic-socket");

LATER_TABLE(server, .what = LATER_KEYWORD, .kinds = KIND_ANY_SERVER, .names =
        "allow-0rtt,alpn,ca-file,cc,check-alpn,check-pool-conn-name,check-proto,check-reuse-pool,check-sni,"
        "check-sni-auto,check-ssl,check-via-socks4,ciphers,ciphersuites,client-sigalgs,crl-file,crt,curves,force-sslv3,"
        "force-tlsv10,force-tlsv11,force-tlsv12,force-tlsv13,guid,healthcheck,ktls,log-proto,max-reuse,no-sslv3,"
        "no-tlsv10,no-tlsv11,no-tlsv12,no-tlsv13,npn,pool-conn-name,proto,redir,renegotiate,send-proxy-v2-ssl,"
        "send-proxy-v2-ssl-cn,set-proxy-v2-tlv-fmt,shard,sigalgs,sni,sni-auto,socks4,ssl,ssl-max-ver,ssl-min-ver,"
        "ssl-reuse,stick,strict-maxconn,tcp-md5sig,tls-tickets,usesrc,verify,verifyhost,ws");

LATER_TABLE(server_never, .what = LATER_KEYWORD, .kinds = KIND_ANY_SERVER, .never = true, .names =
        "quic-cc-algo");

LATER_TABLE(http_request, .what = "action", .of = "http-request", .names =
        "add-headers-bin,cache-use,del-headers-bin,disable-l7-retry,do-resolve,set-bandwidth-limit,set-bc-mark,"
        "set-bc-tos,set-headers-bin,set-retries,wait-for-handshake");

LATER_TABLE(http_request_never, .what = "action", .of = "http-request", .never = true, .names =
        "lua.*,send-spoe-group");

LATER_TABLE(http_response, .what = "action", .of = "http-response", .names =
        "add-headers-bin,cache-store,del-headers-bin,set-bandwidth-limit,set-headers-bin");

LATER_TABLE(http_response_never, .what = "action", .of = "http-response", .never = true, .names =
        "lua.*,send-spoe-group");

LATER_TABLE(http_after_response, .what = "action", .of = "http-after-response", .names =
        "add-headers-bin,del-headers-bin,set-headers-bin");

LATER_TABLE(tcp_request_connection, .what = "action", .of = "tcp-request connection", .names =
        "expect-netscaler-cip");

LATER_TABLE(tcp_request_session, .what = "action", .of = "tcp-request session", .names =
        "attach-srv");

LATER_TABLE(tcp_request_content, .what = "action", .of = "tcp-request content", .names =
        "do-resolve,ot-group,set-bandwidth-limit,set-bc-mark,set-bc-tos,set-retries,switch-mode,use-service");

LATER_TABLE(tcp_request_content_never, .what = "action", .of = "tcp-request content", .never = true, .names =
        "lua.*,send-spoe-group");

LATER_TABLE(tcp_response_content, .what = "action", .of = "tcp-response content", .names =
        "ot-group,set-bandwidth-limit");

LATER_TABLE(tcp_response_content_never, .what = "action", .of = "tcp-response content", .never = true, .names =
        "lua.*,send-spoe-group");

LATER_TABLE(fetch, .what = "sample fetch", .names =
        "bc_err,bc_err_name,bc_err_str,bc_glitches,bs.aborted,bs.debug_str,bs.id,bs.rst_code,cpu_calls,cpu_ns_avg,"
        "cpu_ns_tot,distcc_body,distcc_param,fc_err,fc_err_name,fc_err_str,fc_glitches,fc_pp_authority,fc_pp_tlv,"
        "fc_pp_unique_id,fc_rcvd_proxy,fc_saved_syn,fs.aborted,fs.debug_str,fs.id,fs.rst_code,internal.htx.data,"
        "internal.htx.free,internal.htx.free_data,internal.htx.has_eom,internal.htx.nbblks,internal.htx.size,"
        "internal.htx.used,internal.htx_blk.data,internal.htx_blk.hdrname,internal.htx_blk.hdrval,internal.htx_blk.size,"
        "internal.htx_blk.start_line,internal.htx_blk.type,internal.strm.is_htx,lat_ns_avg,lat_ns_tot,req_proto_http,"
        "req_rdp_cookie,req_rdp_cookie_cnt,res.cache_hit,res.cache_name,res.comp,res.comp_algo,sc1_clr_gpc,ssl_bc,"
        "ssl_bc_alg_keysize,ssl_bc_alpn,ssl_bc_cipher,ssl_bc_client_early_traffic_secret,"
        "ssl_bc_client_handshake_traffic_secret,ssl_bc_client_random,ssl_bc_client_traffic_secret_0,ssl_bc_curve,"
        "ssl_bc_early_exporter_secret,ssl_bc_err,ssl_bc_err_str,ssl_bc_exporter_secret,ssl_bc_is_resumed,ssl_bc_npn,"
        "ssl_bc_protocol,ssl_bc_server_handshake_traffic_secret,ssl_bc_server_random,ssl_bc_server_traffic_secret_0,"
        "ssl_bc_session_id,ssl_bc_session_key,ssl_bc_sni,ssl_bc_unique_id,ssl_bc_use_keysize,ssl_c_ca_err,"
        "ssl_c_ca_err_depth,ssl_c_chain_der,ssl_c_der,ssl_c_err,ssl_c_i_dn,ssl_c_key_alg,ssl_c_notafter,ssl_c_notbefore,"
        "ssl_c_r_dn,ssl_c_s_dn,ssl_c_san,ssl_c_serial,ssl_c_sha1,ssl_c_sig_alg,ssl_c_used,ssl_c_verify,ssl_c_version,"
        "ssl_f_der,ssl_f_i_dn,ssl_f_key_alg,ssl_f_notafter,ssl_f_notbefore,ssl_f_s_dn,ssl_f_serial,ssl_f_sha1,"
        "ssl_f_sig_alg,ssl_f_version,ssl_fc,ssl_fc_alg_keysize,ssl_fc_alpn,ssl_fc_cipher,ssl_fc_cipherlist_bin,"
        "ssl_fc_cipherlist_hex,ssl_fc_cipherlist_str,ssl_fc_cipherlist_xxh,ssl_fc_client_early_traffic_secret,"
        "ssl_fc_client_handshake_traffic_secret,ssl_fc_client_random,ssl_fc_client_traffic_secret_0,ssl_fc_crtname,"
        "ssl_fc_curve,ssl_fc_early_exporter_secret,ssl_fc_early_rcvd,ssl_fc_ecformats_bin,ssl_fc_eclist_bin,ssl_fc_err,"
        "ssl_fc_err_str,ssl_fc_exporter_secret,ssl_fc_extlist_bin,ssl_fc_has_crt,ssl_fc_has_early,ssl_fc_has_sni,"
        "ssl_fc_is_resumed,ssl_fc_npn,ssl_fc_protocol,ssl_fc_protocol_hello_id,ssl_fc_server_handshake_traffic_secret,"
        "ssl_fc_server_random,ssl_fc_server_traffic_secret_0,ssl_fc_session_id,ssl_fc_session_key,ssl_fc_sigalgs_bin,"
        "ssl_fc_sni,ssl_fc_sni_end,ssl_fc_sni_reg,ssl_fc_supported_versions_bin,ssl_fc_unique_id,ssl_fc_use_keysize,"
        "ssl_s_chain_der,ssl_s_der,ssl_s_i_dn,ssl_s_key_alg,ssl_s_notafter,ssl_s_notbefore,ssl_s_s_dn,ssl_s_serial,"
        "ssl_s_sha1,ssl_s_sig_alg,ssl_s_version");

LATER_TABLE(fetch_never, .what = "sample fetch", .never = true, .names =
        "51d.all,da-csv-fetch,lua.*,spoe.engine-id,wurfl-get*");

LATER_TABLE(converter, .what = "converter", .names =
        "aes_cbc_dec,aes_cbc_enc,aes_gcm_dec,aes_gcm_enc,debug,digest,hmac,jwt_decrypt_cert,jwt_decrypt_jwk,"
        "jwt_decrypt_secret,jwt_header_query,jwt_payload_query,jwt_verify,jwt_verify_cert,map_match,map_match_output,"
        "sha1,sha2,when,wt6,x509_v_err_str");

LATER_TABLE(converter_never, .what = "converter", .never = true, .names =
        "51d.single,da-csv-conv,lua.*");

LATER_TABLE(acl_flag, .what = "flag", .of = "acl", .names =
        "-M,-u");

LATER_TABLE(format_alias, .what = "format alias", .names =
        "sslc,sslv");
