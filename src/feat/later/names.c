/* feat/later/names.c - words of HAProxy 3.4 and 2.6 that this program has not (conf/later.h). The lists shrink: when a row
 * of the name comes, `tools/later --prune` takes it off. Names are facts; they are those of HAProxy's manual and of what
 * `haproxy -dKall` lists. Not planned (.never): Lua, SPOE, FastCGI, QUIC, device databases. */
#include "conf/later.h"
#include "core/kinds.h"

/* tools/later lays the names out: */
/* clang-format off */

LATER_TABLE(section, .what = LATER_SECTION, .names =
        "acme,cache,crt-store,healthcheck,log-forward,mailers,peers,traces,userlist");

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
        "tune.http.cookielen,tune.max-checks-per-thread,tune.max-rules-at-once,tune.peers.max-updates-at-once,"
        "tune.renice.runtime,tune.renice.startup,tune.ring.queues,tune.streams-elasticity,tune.zlib.memlevel,"
        "tune.zlib.windowsize,unix-bind,warn-blocked-traffic-after");

LATER_TABLE(global_never, .what = LATER_KEYWORD, .kinds = KIND_GLOBAL, .never = true, .names =
        "51degrees-*,deviceatlas-*,harden.reject-privileged-ports.quic,limited-quic,lua-*,tune.lua.*,tune.quic.*,wurfl-*");

LATER_TABLE(proxy, .what = LATER_KEYWORD, .kinds = KIND_PROXY, .names =
        "bind-process,capture cookie,clitcpka-cnt,clitcpka-idle,clitcpka-intvl,compression algo,compression algo-req,"
        "compression algo-res,compression direction,compression minsize-req,compression minsize-res,compression offload,"
        "compression type,crt,declare capture,dispatch,email-alert from,email-alert level,email-alert mailers,"
        "email-alert myhostname,email-alert to,filter bwlim-in,filter bwlim-out,filter cache,filter comp-req,"
        "filter comp-res,filter compression,filter opentracing,filter trace,filter-sequence,force-be-switch,"
        "force-persist,guid,http-send-name-header,ignore-persist,load-server-state-from-file,max-keep-alive-queue,"
        "max-session-srv-conns,option accept-invalid-http-request,option accept-invalid-http-response,"
        "option accept-unsafe-violations-in-http-request,option accept-unsafe-violations-in-http-response,"
        "option checkcache,option contstats,option disable-h2-upgrade,option forwarded,"
        "option h1-case-adjust-bogus-client,option h1-case-adjust-bogus-server,option http-drop-request-trailers,"
        "option http-drop-response-trailers,option http-ignore-probes,option http-pretend-keepalive,"
        "option http-restrict-req-hdr-names,option http-use-proxy-header,option httpslog,option independent-streams,"
        "option originalto,option prefer-last-server,option socket-stats,option tcp-smart-accept,"
        "option tcp-smart-connect,option transparent,option use-small-buffers,persist rdp-cookie,retry-on,"
        "server-state-file-name,srvtcpka-cnt,srvtcpka-idle,srvtcpka-intvl,ssl-f-use,timeout client-hs,timeout tarpit,"
        "transparent,unique-id-format,unique-id-header,use-server");

LATER_TABLE(proxy_never, .what = LATER_KEYWORD, .kinds = KIND_PROXY, .never = true, .names =
        "filter fcgi-app,filter spoe,option spop-check,quic-initial,use-fcgi-app");

LATER_TABLE(bind, .what = LATER_KEYWORD, .kinds = KIND_ANY_BIND, .names =
        "accept-netscaler-cip,accept-proxy,allow-0rtt,alpn,ca-file,ca-ignore-err,ca-sign-file,ca-sign-pass,"
        "ca-verify-file,cc,ciphers,ciphersuites,client-sigalgs,crl-file,crt,crt-ignore-err,crt-list,curves,default-crt,"
        "ecdhe,ech,force-sslv3,force-tlsv10,force-tlsv11,force-tlsv12,force-tlsv13,generate-certificates,guid-prefix,"
        "idle-ping,ktls,label,nbconn,no-ca-names,no-sslv3,no-tlsv10,no-tlsv11,no-tlsv12,no-tlsv13,npn,"
        "prefer-client-ciphers,process,proto,severity-output,shards,sigalgs,ssl,ssl-max-ver,ssl-min-ver,strict-sni,"
        "tcp-md5sig,tcp-ss,thread,tls-ticket-keys,tls-tickets,verify");

LATER_TABLE(bind_never, .what = LATER_KEYWORD, .kinds = KIND_ANY_BIND, .never = true, .names =
        "quic-cc-algo,quic-force-retry,quic-socket");

LATER_TABLE(server, .what = LATER_KEYWORD, .kinds = KIND_ANY_SERVER, .names =
        "allow-0rtt,alpn,ca-file,cc,check-alpn,check-pool-conn-name,check-proto,check-reuse-pool,check-send-proxy,"
        "check-sni,check-sni-auto,check-ssl,check-via-socks4,ciphers,ciphersuites,client-sigalgs,crl-file,crt,curves,"
        "force-sslv3,force-tlsv10,force-tlsv11,force-tlsv12,force-tlsv13,guid,healthcheck,idle-ping,ktls,log-bufsize,"
        "log-proto,max-reuse,no-sslv3,no-tlsv10,no-tlsv11,no-tlsv12,no-tlsv13,npn,pool-conn-name,proto,proxy-v2-options,"
        "redir,renegotiate,send-proxy,send-proxy-v2,send-proxy-v2-ssl,send-proxy-v2-ssl-cn,set-proxy-v2-tlv-fmt,shard,"
        "sigalgs,sni,sni-auto,socks4,ssl,ssl-max-ver,ssl-min-ver,ssl-reuse,stick,strict-maxconn,tcp-md5sig,tls-tickets,"
        "usesrc,verify,verifyhost,ws");

LATER_TABLE(server_never, .what = LATER_KEYWORD, .kinds = KIND_ANY_SERVER, .never = true, .names =
        "quic-cc-algo");

LATER_TABLE(http_request, .what = "action", .of = "http-request", .names =
        "add-acl,add-headers-bin,auth,cache-use,capture,del-acl,del-headers-bin,del-map,disable-l7-retry,do-resolve,"
        "pause,set-bandwidth-limit,set-bc-mark,set-bc-tos,set-dst,set-dst-port,set-fc-mark,set-fc-tos,set-headers-bin,"
        "set-log-level,set-map,set-mark,set-nice,set-retries,set-src,set-src-port,set-timeout,set-tos,silent-drop,tarpit,"
        "wait-for-handshake");

LATER_TABLE(http_request_never, .what = "action", .of = "http-request", .never = true, .names =
        "lua.*,send-spoe-group");

LATER_TABLE(http_response, .what = "action", .of = "http-response", .names =
        "add-acl,add-headers-bin,cache-store,capture,del-acl,del-headers-bin,del-map,pause,set-bandwidth-limit,"
        "set-fc-mark,set-fc-tos,set-headers-bin,set-log-level,set-map,set-mark,set-nice,set-timeout,set-tos,silent-drop");

LATER_TABLE(http_response_never, .what = "action", .of = "http-response", .never = true, .names =
        "lua.*,send-spoe-group");

LATER_TABLE(http_after_response, .what = "action", .of = "http-after-response", .names =
        "add-headers-bin,capture,del-headers-bin,del-map,set-headers-bin,set-log-level,set-map");

LATER_TABLE(tcp_request_connection, .what = "action", .of = "tcp-request connection", .names =
        "expect-netscaler-cip,expect-proxy,set-dst,set-dst-port,set-fc-mark,set-fc-tos,set-mark,set-src,set-src-port,"
        "set-tos,silent-drop");

LATER_TABLE(tcp_request_session, .what = "action", .of = "tcp-request session", .names =
        "attach-srv,set-dst,set-dst-port,set-fc-mark,set-fc-tos,set-mark,set-src,set-src-port,set-tos,silent-drop");

LATER_TABLE(tcp_request_content, .what = "action", .of = "tcp-request content", .names =
        "capture,do-resolve,ot-group,set-bandwidth-limit,set-bc-mark,set-bc-tos,set-dst,set-dst-port,set-fc-mark,"
        "set-fc-tos,set-log-level,set-mark,set-nice,set-retries,set-src,set-src-port,set-tos,silent-drop,switch-mode,"
        "use-service");

LATER_TABLE(tcp_request_content_never, .what = "action", .of = "tcp-request content", .never = true, .names =
        "lua.*,send-spoe-group");

LATER_TABLE(tcp_response_content, .what = "action", .of = "tcp-response content", .names =
        "ot-group,set-bandwidth-limit,set-fc-mark,set-fc-tos,set-log-level,set-mark,set-nice,set-tos,silent-drop");

LATER_TABLE(tcp_response_content_never, .what = "action", .of = "tcp-response content", .never = true, .names =
        "lua.*,send-spoe-group");

LATER_TABLE(fetch, .what = "sample fetch", .names =
        "accept_date,acl,act_conn,avg_queue,base,base32,base_beg,base_dir,base_dom,base_end,base_len,base_reg,base_sub,"
        "baseq,bc.timer.connect,bc_be_queue,bc_dst,bc_dst_port,bc_err,bc_err_name,bc_err_str,bc_glitches,bc_http_major,"
        "bc_nb_streams,bc_reused,bc_rtt,bc_rttvar,bc_settings_streams_limit,bc_src,bc_src_port,bc_srv_queue,be_conn,"
        "be_conn_free,be_connect_timeout,be_queue_timeout,be_server_timeout,be_sess_rate,be_tarpit_timeout,"
        "be_tunnel_timeout,bs.aborted,bs.debug_str,bs.id,bs.rst_code,bytes_in,bytes_out,capture.req.hdr,"
        "capture.req.method,capture.req.uri,capture.req.ver,capture.res.hdr,capture.res.ver,connslots,cook,cook_beg,"
        "cook_cnt,cook_dir,cook_dom,cook_end,cook_len,cook_reg,cook_sub,cook_val,cookie,cpu_calls,cpu_ns_avg,cpu_ns_tot,"
        "cpu_usage_grp,cpu_usage_proc,cpu_usage_thr,cur_client_timeout,cur_connect_timeout,cur_queue_timeout,"
        "cur_server_timeout,cur_tarpit_timeout,cur_tunnel_timeout,date_us,distcc_body,distcc_param,dst_conn,dst_is_local,"
        "fc.timer.handshake,fc.timer.total,fc_dst,fc_dst_is_local,fc_dst_port,fc_err,fc_err_name,fc_err_str,fc_fackets,"
        "fc_glitches,fc_http_major,fc_lost,fc_nb_streams,fc_pp_authority,fc_pp_tlv,fc_pp_unique_id,fc_rcvd_proxy,"
        "fc_reordering,fc_retrans,fc_rtt,fc_rttvar,fc_sacked,fc_saved_syn,fc_settings_streams_limit,fc_src,"
        "fc_src_is_local,fc_src_port,fc_unacked,fe_client_timeout,fe_conn,fe_defbe,fe_req_rate,fe_sess_rate,"
        "fe_tarpit_timeout,fs.aborted,fs.debug_str,fs.id,fs.rst_code,hdr_reg,http_auth,http_auth_bearer,http_auth_group,"
        "http_auth_pass,http_auth_type,http_auth_user,http_first_req,internal.htx.data,internal.htx.free,"
        "internal.htx.free_data,internal.htx.has_eom,internal.htx.nbblks,internal.htx.size,internal.htx.used,"
        "internal.htx_blk.data,internal.htx_blk.hdrname,internal.htx_blk.hdrval,internal.htx_blk.size,"
        "internal.htx_blk.start_line,internal.htx_blk.type,internal.strm.is_htx,ipv4,ipv6,last_entity,last_rule_file,"
        "last_rule_line,lat_ns_avg,lat_ns_tot,meth,nbproc,path_reg,payload,payload_lv,pid,proc,queue,rdp_cookie,"
        "rdp_cookie_cnt,rep_ssl_hello_type,req.body,req.body_len,req.body_param,req.body_size,req.bytes_in,req.bytes_out,"
        "req.cook,req.cook_cnt,req.cook_names,req.cook_val,req.hdr_names,req.hdrs,req.hdrs_bin,req.len,req.payload,"
        "req.payload_lv,req.rdp_cookie,req.rdp_cookie_cnt,req.ssl_alpn,req.ssl_cipherlist,req.ssl_ec_ext,"
        "req.ssl_hello_type,req.ssl_keyshare_groups,req.ssl_sigalgs,req.ssl_sni,req.ssl_st_ext,req.ssl_supported_groups,"
        "req.ssl_ver,req.timer.hdr,req.timer.idle,req.timer.queue,req.timer.tq,req_len,req_proto_http,req_rdp_cookie,"
        "req_rdp_cookie_cnt,req_ssl_hello_type,req_ssl_sni,req_ssl_ver,request_date,res.body,res.body_len,res.body_size,"
        "res.bytes_in,res.bytes_out,res.cache_hit,res.cache_name,res.comp,res.comp_algo,res.cook,res.cook_cnt,"
        "res.cook_names,res.cook_val,res.fhdr_cnt,res.hdr_ip,res.hdr_names,res.hdrs,res.hdrs_bin,res.len,res.payload,"
        "res.payload_lv,res.ssl_hello_type,res.timer.data,res.timer.hdr,resp_ver,sc1_clr_gpc,scook,scook_beg,scook_cnt,"
        "scook_dir,scook_dom,scook_end,scook_len,scook_reg,scook_sub,scook_val,server_status,set-cookie,shdr,shdr_beg,"
        "shdr_cnt,shdr_dir,shdr_dom,shdr_end,shdr_ip,shdr_len,shdr_reg,shdr_sub,shdr_val,src_is_local,srv_conn,"
        "srv_conn_free,srv_is_up,srv_iweight,srv_queue,srv_sess_rate,srv_uweight,srv_weight,ssl_bc,ssl_bc_alg_keysize,"
        "ssl_bc_alpn,ssl_bc_cipher,ssl_bc_client_early_traffic_secret,ssl_bc_client_handshake_traffic_secret,"
        "ssl_bc_client_random,ssl_bc_client_traffic_secret_0,ssl_bc_curve,ssl_bc_early_exporter_secret,ssl_bc_err,"
        "ssl_bc_err_str,ssl_bc_exporter_secret,ssl_bc_is_resumed,ssl_bc_npn,ssl_bc_protocol,"
        "ssl_bc_server_handshake_traffic_secret,ssl_bc_server_random,ssl_bc_server_traffic_secret_0,ssl_bc_session_id,"
        "ssl_bc_session_key,ssl_bc_sni,ssl_bc_unique_id,ssl_bc_use_keysize,ssl_c_ca_err,ssl_c_ca_err_depth,"
        "ssl_c_chain_der,ssl_c_der,ssl_c_err,ssl_c_i_dn,ssl_c_key_alg,ssl_c_notafter,ssl_c_notbefore,ssl_c_r_dn,"
        "ssl_c_s_dn,ssl_c_san,ssl_c_serial,ssl_c_sha1,ssl_c_sig_alg,ssl_c_used,ssl_c_verify,ssl_c_version,ssl_f_der,"
        "ssl_f_i_dn,ssl_f_key_alg,ssl_f_notafter,ssl_f_notbefore,ssl_f_s_dn,ssl_f_serial,ssl_f_sha1,ssl_f_sig_alg,"
        "ssl_f_version,ssl_fc,ssl_fc_alg_keysize,ssl_fc_alpn,ssl_fc_cipher,ssl_fc_cipherlist_bin,ssl_fc_cipherlist_hex,"
        "ssl_fc_cipherlist_str,ssl_fc_cipherlist_xxh,ssl_fc_client_early_traffic_secret,"
        "ssl_fc_client_handshake_traffic_secret,ssl_fc_client_random,ssl_fc_client_traffic_secret_0,ssl_fc_crtname,"
        "ssl_fc_curve,ssl_fc_early_exporter_secret,ssl_fc_early_rcvd,ssl_fc_ecformats_bin,ssl_fc_eclist_bin,ssl_fc_err,"
        "ssl_fc_err_str,ssl_fc_exporter_secret,ssl_fc_extlist_bin,ssl_fc_has_crt,ssl_fc_has_early,ssl_fc_has_sni,"
        "ssl_fc_is_resumed,ssl_fc_npn,ssl_fc_protocol,ssl_fc_protocol_hello_id,ssl_fc_server_handshake_traffic_secret,"
        "ssl_fc_server_random,ssl_fc_server_traffic_secret_0,ssl_fc_session_id,ssl_fc_session_key,ssl_fc_sigalgs_bin,"
        "ssl_fc_sni,ssl_fc_sni_end,ssl_fc_sni_reg,ssl_fc_supported_versions_bin,ssl_fc_unique_id,ssl_fc_use_keysize,"
        "ssl_s_chain_der,ssl_s_der,ssl_s_i_dn,ssl_s_key_alg,ssl_s_notafter,ssl_s_notbefore,ssl_s_s_dn,ssl_s_serial,"
        "ssl_s_sha1,ssl_s_sig_alg,ssl_s_version,stopping,term_events,tgroup,thread,txn.conn_retries,txn.id32,"
        "txn.redispatched,txn.sess_term_state,txn.status,txn.timer.total,txn.timer.user,unique-id,uptime,url32,url_ip,"
        "url_param,url_port,url_reg,urlp,urlp_beg,urlp_dir,urlp_dom,urlp_end,urlp_len,urlp_reg,urlp_sub,urlp_val,uuid,"
        "wait_end,waiting_entity");

LATER_TABLE(fetch_never, .what = "sample fetch", .never = true, .names =
        "51d.all,da-csv-fetch,lua.*,quic_enabled,spoe.engine-id,wurfl-get*");

LATER_TABLE(converter, .what = "converter", .names =
        "aes_cbc_dec,aes_cbc_enc,aes_gcm_dec,aes_gcm_enc,capture-req,capture-res,debug,digest,hmac,jwt_decrypt_cert,"
        "jwt_decrypt_jwk,jwt_decrypt_secret,jwt_header_query,jwt_payload_query,jwt_verify,jwt_verify_cert,map,map_beg,"
        "map_beg_int,map_beg_ip,map_beg_key,map_dir,map_dir_int,map_dir_ip,map_dir_key,map_dom,map_dom_int,map_dom_ip,"
        "map_dom_key,map_end,map_end_int,map_end_ip,map_end_key,map_int,map_int_int,map_int_ip,map_int_key,map_ip,"
        "map_ip_int,map_ip_ip,map_ip_key,map_match,map_match_output,map_reg,map_reg_int,map_reg_ip,map_reg_key,map_regm,"
        "map_str,map_str_int,map_str_ip,map_str_key,map_sub,map_sub_int,map_sub_ip,map_sub_key,regsub,sha1,sha2,when,wt6,"
        "x509_v_err_str");

LATER_TABLE(converter_never, .what = "converter", .never = true, .names =
        "51d.single,da-csv-conv,lua.*");

LATER_TABLE(predefined, .what = "predefined ACL", .names =
        "HTTP_URL_ABS,RDP_COOKIE,REQ_CONTENT,WAIT_END");

LATER_TABLE(match, .what = "matching method", .names =
        "bin,reg");

LATER_TABLE(acl_flag, .what = "flag", .of = "acl", .names =
        "-M,-f,-u");

LATER_TABLE(format_alias, .what = "format alias", .names =
        "sslc,sslv");
