/* feat/convs/convs_test.c - numbers, hashes, digits, parts, texts, dates, JSON.
 * The rows were observed at HAProxy 3.4.0, which agrees with every one of them. */
#include "feat/convs/convs_testing.h"

static const struct pair math_rows[] = {
        { "int(5),add(3)", "8" },
        { "int(5),add(-3)", "2" },
        { "int(9223372036854775807),add(1)", "9223372036854775807" },
        { "int(-9223372036854775807),add(-10)", "-9223372036854775808" },
        { "int(5),sub(9)", "-4" },
        { "int(-9223372036854775807),sub(10)", "-9223372036854775808" },
        { "int(9223372036854775807),sub(-1)", "9223372036854775807" },
        { "int(5),add()", "5" },
        { "int(5),add", "5" },
        { "int(6),and(3)", "2" },
        { "int(6),or(3)", "7" },
        { "int(6),xor(3)", "5" },
        { "int(6),cpl", "-7" },
        { "int(6),neg", "-6" },
        { "int(-9223372036854775808),neg", "9223372036854775807" },
        { "int(6),mul(7)", "42" },
        { "int(9223372036854775807),mul(2)", "9223372036854775807" },
        { "int(9223372036854775807),mul(-2)", "-9223372036854775808" },
        { "int(-9223372036854775807),mul(2)", "-9223372036854775808" },
        { "int(0),mul(0)", "0" },
        { "int(-1),mul(-9223372036854775808)", "9223372036854775807" },
        { "int(-9223372036854775808),mul(-1)", "9223372036854775807" },
        { "int(7),div(2)", "3" },
        { "int(-7),div(2)", "-3" },
        { "int(7),div(0)", "9223372036854775807" },
        { "int(-7),div(0)", "9223372036854775807" },
        { "int(-9223372036854775808),div(-1)", "9223372036854775807" },
        { "int(7),mod(3)", "1" },
        { "int(-7),mod(3)", "-1" },
        { "int(7),mod(0)", "0" },
        { "int(-9223372036854775808),mod(-1)", "0" },
        { "int(7),odd", "1" },
        { "int(7),even", "0" },
        { "int(0),even", "1" },
        { "int(-7),odd", "1" },
        { "int(7),not", "0" },
        { "int(0),not", "1" },
        { "int(7),bool", "1" },
        { "str(abc),add(1)", "1" },
        { "str(12abc),add(1)", "13" },
        { "str(-5),neg", "5" },
        { "str(),add(1)", "<miss>" },
        { "int(5),add(txn.i)", "8" },
        { "int(5),add(txn.s)", "5" },
        { "int(5),add(txn.n)", "17" },
        { "int(5),add(txn.b)", "<miss>" },
        { "int(5),add(txn.t)", "6" },
        { "int(5),add(txn.ip)", "2130706438" },
        { "int(5),add(txn.e)", "<miss>" },
        { "int(5),div(txn.i)", "1" },
        { "int(5),div()", "9223372036854775807" },
        { "int(5),mod()", "0" },
        { "int(5),mul", "0" },
        { "int(5),and", "0" },
        { "int(7),and(txn.i)", "3" },
};

static const struct pair hash_rows[] = {
        { "str(123456789),crc32", "3421780262" },
        { "str(123456789),crc32(1)", "1130417534" },
        { "str(123456789),crc32(0)", "3421780262" },
        { "str(123456789),crc32(2)", "1130417534" },
        { "str(123456789),crc32c", "3808858755" },
        { "str(123456789),crc32c(1)", "1236241323" },
        { "str(123456789),djb2", "902675330" },
        { "str(123456789),djb2(1)", "2717138294" },
        { "str(123456789),sdbm", "1755344949" },
        { "str(123456789),sdbm(1)", "3400502718" },
        { "str(),crc32", "0" },
        { "str(),djb2", "5381" },
        { "str(),sdbm", "0" },
        { "str(123456789),xxh3", "8276685427497336319" },
        { "str(123456789),xxh3(7)", "-3151000607107459123" },
        { "str(123456789),xxh32", "2474356071" },
        { "str(123456789),xxh32(7)", "2836932084" },
        { "str(123456789),xxh64", "-8306817102742376829" },
        { "str(123456789),xxh64(7)", "4910684964170326389" },
        { "str(123456789),xxh64(-7)", "-6569891540499873277" },
        { "str(123456789),xxh32(-7)", "2138419730" },
        { "str(123456789),xxh3(-7)", "-8851528921025969850" },
        { "str(),xxh3", "3244421341483603138" },
        { "str(),xxh64", "-1205034819632174695" },
        { "str(),xxh32", "46947589" },
        { "int(1),crc32", "304476159" },
        { "str(abc),crc32()", "891568578" },
        { "str(abc),xxh64()", "4952883123889572249" },
};

static const struct pair digits_rows[] = {
        { "bin(0a0bff),hex", "0A0BFF" },
        { "str(),hex", "" },
        { "str(0aFF),hex2i", "2815" },
        { "str(zz),hex2i", "<miss>" },
        { "str(12zz),hex2i", "<miss>" },
        { "str(fffffffffffffffff),hex2i", "-1" },
        { "str(ffffffffffffffff),hex2i", "-1" },
        { "str(7fffffffffffffff),hex2i", "9223372036854775807" },
        { "str(),hex2i", "0" },
        { "str(-5),hex2i", "<miss>" },
        { "str(0x1f),hex2i", "<miss>" },
        { "int(256),hex", "0000000000000100" },
        { "int(10),hex2i", "16" },
        { "bin(01020304050607),be2dec(:,2)", "258:772:1286:7" },
        { "bin(01020304050607),be2dec(-,2,1)", "258-772-1286" },
        { "bin(01020304050607),be2dec(,2,1)", "2587721286" },
        { "bin(7f000001),be2dec(.,1)", "127.0.0.1" },
        { "bin(ffffffffffffffff),be2dec(:,8)", "18446744073709551615" },
        { "bin(ffffffffffffffffff),be2dec(:,8)", "18446744073709551615:255" },
        { "bin(ffffffffffffffffff),be2dec(:,8,1)", "18446744073709551615" },
        { "bin(01),be2dec(:,2,1)", "" },
        { "bin(01020304050607),le2dec(:,2)", "513:1027:1541:7" },
        { "bin(01020304050607),le2dec(-,2,1)", "513-1027-1541" },
        { "bin(01020304050607),le2dec(,2,1)", "51310271541" },
        { "bin(7f000001),le2dec(.,1)", "127.0.0.1" },
        { "bin(01020304050607),be2hex", "01020304050607" },
        { "bin(01020304050607),be2hex(:,2)", "0102:0304:0506:07" },
        { "bin(01020304050607),be2hex(--,2,1)", "0102--0304--0506" },
        { "bin(0102030405060708),be2hex(,3,1)", "010203040506" },
        { "bin(0102030405060708),be2hex(:,3,0)", "010203:040506:0708" },
        { "bin(0102),be2hex(:,3,1)", "" },
        { "bin(0102),be2hex(:,3)", "0102" },
        { "bin(0102030405060708),be2hex(:,30)", "0102030405060708" },
        { "bin(a5),base2", "10100101" },
        { "bin(a501),base2", "1010010100000001" },
        { "str(),base2", "" },
        { "str(abc),base64", "YWJj" },
        { "str(YWJj),b64dec", "abc" },
        { "str(YWJ),b64dec", "<miss>" },
        { "str(YW==),b64dec", "a" },
        { "str(Y!Jj),b64dec", "<miss>" },
        { "str(),b64dec", "" },
        { "str(),base64", "" },
        { "bin(fbff),ub64enc", "-_8" },
        { "bin(fbff),base64", "+/8=" },
        { "int(1),htonl,hex", "00000001" },
        { "int(4294967297),htonl,hex", "00000001" },
        { "int(-1),htonl,hex", "FFFFFFFF" },
        { "src,ipmask(8)", "127.0.0.0" },
        { "str(10.1.2.3),ipmask(24)", "10.1.2.0" },
        { "str(abc),be2hex()", "616263" },
        { "str(foo=bar+42 42 ),url_enc", "foo%3Dbar%2B42%2042%20" },
        { "str(foo=bar+42 42 ),url_enc(query)", "foo%3Dbar%2B42%2042%20" },
        { "bin(00ff20257e2d5f2e21272829412a2f3b3a40262b242c233f5b5d7b7d225c5e607c3c3e),url_enc", "" },
        { "str(),url_enc", "" },
        { "str(foo%3Dbar%2B42%2042+),url_dec", "foo=bar+42 42+" },
        { "str(foo%3Dbar%2B42%2042+),url_dec(1)", "foo=bar+42 42 " },
        { "str(foo+a\?b+c),url_dec", "foo+a\?b c" },
        { "str(foo+a\?b+c),url_dec(0)", "foo+a\?b c" },
        { "str(foo%zz),url_dec", "<miss>" },
        { "str(foo%4),url_dec", "<miss>" },
        { "str(foo%),url_dec", "<miss>" },
        { "str(),url_dec", "" },
        { "bin(0120257e2d5f2e21272829412a2f3b3a40262b242c233f5b5d7b7d225c5e607c3c3e),url_enc",
          "%01%20%25~-_.%21%27%28%29A%2A%2F%3B%3A%40%26%2B%24%2C%23%3F%5B%5D%7B%7D%22%5C%5E%60%7C%3C%3E" },
};

static const struct pair parts_rows[] = {
        { "str(abcdef),bytes(2)", "cdef" },
        { "str(abcdef),bytes(2,3)", "cde" },
        { "str(abcdef),bytes(6)", "" },
        { "str(abcdef),bytes(5)", "f" },
        { "str(abcdef),bytes(0,7)", "abcdef" },
        { "str(abcdef),bytes(99)", "" },
        { "str(abc),cut_crlf", "abc" },
        { "bin(616263),cut_crlf", "abc" },
        { "bin(61620d63),cut_crlf", "ab" },
        { "bin(61620a63),cut_crlf", "ab" },
        { "bin(0d),cut_crlf", "" },
        { "str(xxabcxx),ltrim(x)", "abcxx" },
        { "str(xxabcxx),rtrim(x)", "xxabc" },
        { "str(xxxx),rtrim(x)", "" },
        { "str(xxxx),ltrim(x)", "" },
        { "str(xyabcyx),ltrim(xy)", "abcyx" },
        { "str(xyabcyx),rtrim(xy)", "xyabc" },
        { "str(xyabc),ltrim()", "xyabc" },
        { "str(xyabc),ltrim", "xyabc" },
        { "int(1000),rtrim(0)", "1" },
        { "str(abcdef),bytes", "abcdef" },
        { "str(abcdef),bytes()", "abcdef" },
        { "str(abcdef),bytes(3,3)", "def" },
        { "str(abcdef),bytes(txn.i)", "def" },
        { "str(abcdef),bytes(txn.i,txn.i)", "def" },
        { "str(abcdef),bytes(1,txn.s)", "" },
        { "str(abc),ltrim()", "abc" },
        { "str(abc),field(1,b,-1)", "abc" },
        { "str(abc),word(1,b,-1)", "abc" },
        { "str(abc),param", "<miss>" },
        { "str(abc),param()", "<miss>" },
        { "str(a=b&c=d&a=r),param(a)", "b" },
        { "str(a&b=c),param(a)", "" },
        { "str(a=&b&c=a),param(b)", "" },
        { "str('a=1;b=2;c=4'),param(b,;)", "2" },
        { "str(a=1&b=2),param(c)", "<miss>" },
        { "str(ab=1&b=2),param(b)", "2" },
        { "str(a=1&b=2),param(a=1)", "" },
        { "str(a=1&b=2=3),param(b)", "2=3" },
        { "str(a=1&&b=2),param(b)", "2" },
        { "str(&b=2),param(b)", "2" },
        { "str(a=1),param()", "<miss>" },
        { "str(=1&a=2),param()", "1" },
        { "str(abcd),field(1,b,-1)", "abcd" },
        { "str(f1_f2_f3__f5),field(2,_,-1)", "f2_f3__f5" },
        { "str(f1_f2_f3__f5),field(-2,_,-1)", "f1_f2_f3_" },
        { "str(f1_f2_f3__f5),word(2,_,-1)", "f2_f3__f5" },
        { "str(f1_f2_f3__f5),word(2,_,-3)", "f2_f3__f5" },
};

static const struct pair text_rows[] = {
        { "str(hello),length", "5" },
        { "str(),length", "0" },
        { "bin(6162),length", "2" },
        { "str(HeLLo),lower", "hello" },
        { "str(HeLLo),upper", "HELLO" },
        { "str(www.Example.com:80),host_only", "www.example.com" },
        { "str(www.Example.com),host_only", "www.example.com" },
        { "str([::1]:80),host_only", "[::1]" },
        { "str([::1]),host_only", "[::1]" },
        { "str(127.0.0.1:8080),host_only", "127.0.0.1" },
        { "str(),host_only", "" },
        { "str(:80),host_only", "" },
        { "str(a:b:80),host_only", "a:b" },
        { "str([::1),host_only", "[:" },
        { "str(::1),host_only", ":" },
        { "str([::1]80),host_only", "[::1]80" },
        { "str(a:),host_only", "a" },
        { "str(a:8a),host_only", "a" },
        { "str(www.example.com:80),port_only", "80" },
        { "str(www.example.com),port_only", "0" },
        { "str([::1]:80),port_only", "80" },
        { "str([::1]),port_only", "0" },
        { "str(127.0.0.1:8080),port_only", "8080" },
        { "str(),port_only", "0" },
        { "str(:80),port_only", "80" },
        { "str(a:b:80),port_only", "80" },
        { "str([::1),port_only", "1" },
        { "str(::1),port_only", "1" },
        { "str([::1]80),port_only", "0" },
        { "str(a:),port_only", "0" },
        { "str(a:8a),port_only", "129" },
        { "str(a:99999999999),port_only", "1215752191" },
        { "str(a:-5),port_only", "4294967271" },
        { "str(a:65536),port_only", "65536" },
        { "bool(1),iif(a,b)", "a" },
        { "bool(0),iif(a,b)", "b" },
        { "int(0),iif(a,b)", "b" },
        { "int(3),iif(a,b)", "a" },
        { "bool(1),iif(,b)", "" },
        { "str(fr;q=0.5 en),language(en)", "<miss>" },
        { "str('fr;q=0.5,en'),language(en;fr)", "en" },
        { "str('fr;q=0.5,en;q=0.7'),language(fr;en)", "en" },
        { "str('fr;q=0.5,en;q=0'),language(en,none)", "none" },
        { "str('fr-FR,en;q=0.8'),language(fr;en)", "fr" },
        { "str('fr-FR,en;q=0.8'),language(fr-FR;en)", "fr-FR" },
        { "str('fr-FR,en;q=0.8'),language(de,xx)", "xx" },
        { "str('fr-FR,en;q=0.8'),language(de)", "<miss>" },
        { "str('en;q=0.8,fr;q=0.8'),language(fr;en)", "en" },
        { "str('en ; q=0.8 , fr;q=0.9'),language(fr;en)", "fr" },
        { "str('EN'),language(en)", "<miss>" },
        { "str('*'),language(en)", "<miss>" },
        { "str('en;q=1.5,fr'),language(fr;en)", "en" },
        { "str('en;q=abc,fr;q=0.1'),language(fr;en)", "en" },
        { "str('en;q=0.8xyz,fr;q=0.1'),language(fr;en)", "en" },
        { "str('en;q=0.1234,fr;q=0.12'),language(fr;en)", "en" },
        { "str(''),language(en,d)", "d" },
        { "str(abc),language", "<miss>" },
        { "str(abc),language()", "<miss>" },
        { "str(abc),strcmp(txn.s)", "-7" },
        { "str(hello),strcmp(txn.s)", "0" },
        { "str(hellp),strcmp(txn.s)", "1" },
        { "str(hell),strcmp(txn.s)", "-1" },
        { "str(helloo),strcmp(txn.s)", "1" },
        { "str(z),strcmp(txn.s)", "18" },
        { "str(3),strcmp(txn.i)", "0" },
        { "str(a),strcmp(txn.none)", "<miss>" },
        { "str(hello),secure_memcmp(txn.s)", "1" },
        { "str(hellp),secure_memcmp(txn.s)", "0" },
        { "str(hell),secure_memcmp(txn.s)", "0" },
        { "bin(00ff),secure_memcmp(txn.b)", "1" },
        { "str(3),secure_memcmp(txn.i)", "0" },
        { "str(a),secure_memcmp(txn.none)", "<miss>" },
        { "str(a),concat(x)", "ax" },
        { "str(a),concat(x,txn.s)", "axhello" },
        { "str(a),concat(x,txn.s,y)", "axhelloy" },
        { "str(a),concat(x,txn.i,y)", "ax3y" },
        { "str(a),concat(x,txn.b,y)", "axy" },
        { "str(a),concat(x,txn.ip,y)", "ax127.0.0.1y" },
        { "str(a),concat(x,txn.none,y)", "axy" },
        { "str(a),concat(x,,y)", "axy" },
        { "str(a),concat(,,y)", "ay" },
        { "str(a),concat(,txn.s)", "ahello" },
        { "str(a),concat", "a" },
        { "str(a),concat()", "a" },
        { "int(5),concat(x)", "5x" },
        { "bin(610062),concat(x)", "ax" },
        { "str(a),add_item(',',txn.s)", "a,hello" },
        { "str(a),add_item(',',txn.s,z)", "a,helloz" },
        { "str(a),add_item(',',,z)", "a,z" },
        { "str(),add_item(',',txn.s)", "hello" },
        { "str(),add_item(',',,z)", "z" },
        { "str(a),add_item(',',txn.none)", "a" },
        { "str(a),add_item(',',txn.none,z)", "a,z" },
        { "str(a),add_item(',',txn.e)", "a" },
        { "str(a),add_item(',',txn.e,z)", "a,z" },
        { "str(a),add_item(',',txn.i,z)", "a,3z" },
        { "str(hello),reverse", "olleh" },
        { "str(),reverse", "" },
        { "str(example.com),reverse_dom", "com.example" },
        { "str(mail.Example.com.),reverse_dom", "com.Example.mail" },
        { "str(),reverse_dom", "<miss>" },
        { "str(.),reverse_dom", "<miss>" },
        { "str(a..b),reverse_dom", "<miss>" },
        { "str(.a),reverse_dom", "<miss>" },
        { "str(a..),reverse_dom", "<miss>" },
        { "str(com),reverse_dom", "com" },
};

static const struct pair time_rows[] = {
        { "int(0),http_date", "Thu, 01 Jan 1970 00:00:00 GMT" },
        { "int(784111777),http_date", "Sun, 06 Nov 1994 08:49:37 GMT" },
        { "int(784111777),http_date(10)", "Sun, 06 Nov 1994 08:49:47 GMT" },
        { "int(784111777123),http_date(10,ms)", "Sun, 06 Nov 1994 08:49:37.133 GMT" },
        { "int(784111777123456),http_date(-10,us)", "Sun, 06 Nov 1994 08:49:37.123446 GMT" },
        { "int(784111777),http_date(10,s)", "Sun, 06 Nov 1994 08:49:47 GMT" },
        { "int(253402300800),http_date", "Sat, 01 Jan 10000 00:00:00 GMT" },
        { "int(0),utime(%Y-%m-%d)", "1970-01-01" },
        { "int(784111777),utime(%Y-%m-%d %H:%M:%S)", "1994-11-06 08:49:37" },
        { "int(784111777),utime(%Y-%m-%d %H:%M:%S,3600)", "1994-11-06 09:49:37" },
        { "int(784111777),ltime(%Y-%m-%d %H:%M:%S,-3600)", "1994-11-06 07:49:37" },
        { "int(784111777123),ms_utime(%Y-%m-%d %H:%M:%S.%N)", "1994-11-06 08:49:37.123000000" },
        { "int(784111777123),ms_utime(%Y-%m-%d %H:%M:%S.%3N)", "1994-11-06 08:49:37.123" },
        { "int(784111777123),ms_utime(%H.%6N,-200)", "08.123000" },
        { "int(784111777123456),us_utime(%Y-%m-%d %H:%M:%S.%N)", "1994-11-06 08:49:37.123456000" },
        { "int(784111777123456),us_utime(%S.%6N,1000000)", "17.123456" },
        { "int(784111777123456),us_ltime(%S.%6N %z)", "37.123456 +0000" },
        { "int(784111777123),ms_ltime(%S.%1N %Z)", "37.1 UTC" },
        { "int(784111777),utime(%N)", "%N" },
        { "int(784111777),utime(%3N)", "%3N" },
        { "int(784111777),utime()", "" },
        { "int(784111777),utime(abc)", "abc" },
        { "int(784111777),utime", "" },
        { "str('Sun, 06 Nov 1994 08:49:37 GMT'),date", "784111777" },
        { "str('Sunday, 06-Nov-94 08:49:37 GMT'),date", "784111777" },
        { "str('Sun Nov  6 08:49:37 1994'),date", "784111777" },
        { "str('Sun, 06 Nov 1994 08:49:37'),date", "<miss>" },
        { "str('Sun, 06 Nov 1994 08:49:37 UTC'),date", "<miss>" },
        { "str('Mon, 06 Nov 1994 08:49:37 GMT'),date", "784111777" },
        { "str('Sun, 6 Nov 1994 08:49:37 GMT'),date", "<miss>" },
        { "str('Sun, 31 Feb 1994 08:49:37 GMT'),date", "762684577" },
        { "str('Sun, 06 Nov 1994 25:49:37 GMT'),date", "784172977" },
        { "str('Thu, 01 Jan 1970 00:00:00 GMT'),date", "0" },
        { "str('Sunday, 06-Nov-20 08:49:37 GMT'),date", "1604652577" },
        { "str('Sunday, 06-Nov-70 08:49:37 GMT'),date", "26729377" },
        { "str('Sunday, 06-Nov-50 08:49:37 GMT'),date", "2551337377" },
        { "str('sun, 06 nov 1994 08:49:37 gmt'),date", "<miss>" },
        { "str('junk'),date", "<miss>" },
        { "str(''),date", "<miss>" },
        { "str('Sun, 06 Nov 1994 08:49:60 GMT'),date", "784111800" },
        { "str('Wed, 31 Dec 9999 23:59:59 GMT'),date", "253402300799" },
        { "int(784111777123),ms_utime(%0N)", "" },
        { "int(784111777123),ms_utime(%10N)", "123000000" },
        { "int(784111777123),ms_utime(%9N)", "123000000" },
        { "int(784111777123),ms_utime(%N%N)", "123000000123000000" },
        { "int(784111777123),ms_utime(a%)", "a%" },
        { "int(784111777123),ms_utime(%Y%m%d %H:%M:%S,3600)", "19941106 09:49:37" },
        { "int(784111777123),ms_utime(%03N)", "123" },
        { "int(784111777123),ms_utime(%-3N)", "%-3N" },
        { "int(784111777),utime(%Y%)", "1994%" },
        { "int(784111777),utime(%Q)", "%Q" },
        { "str('Sunday, 06-Nov-59 08:49:37 GMT'),date", "2835334177" },
        { "str('Sunday, 06-Nov-60 08:49:37 GMT'),date", "2866956577" },
        { "str('Xxx, 06 Nov 1994 08:49:37 GMT'),date", "<miss>" },
};

static const struct pair json_rows[] = {
        { "str(foo 1/2),json", "foo 1\\/2" },
        { "str(foo 1/2),json(utf8)", "foo 1\\/2" },
        { "bin(e0),json(utf8)", "<miss>" },
        { "bin(2de02d),json(utf8s)", "--" },
        { "bin(2de02d),json(utf8p)", "<miss>" },
        { "bin(2de02d),json(utf8ps)", "--" },
        { "bin(2de02d),json(ascii)", "-\\u00e0-" },
        { "bin(c3a9),json(utf8)", "\\u00e9" },
        { "bin(c3a9),json(ascii)", "\\u00c3\\u00a9" },
        { "bin(c1a1),json(utf8)", "<miss>" },
        { "bin(c1a1),json(utf8s)", "" },
        { "bin(c1a1),json(utf8p)", "a" },
        { "bin(c1a1),json(utf8ps)", "a" },
        { "bin(f09f9880),json(utf8)", "<miss>" },
        { "bin(f09f9880),json(utf8s)", "" },
        { "bin(f09f9880),json(utf8p)", "<miss>" },
        { "bin(f09f9880),json(utf8ps)", "" },
        { "bin(eda080),json(utf8)", "<miss>" },
        { "bin(eda080),json(utf8s)", "" },
        { "bin(eda080),json(utf8ps)", "" },
        { "bin(efbfbe),json(utf8)", "<miss>" },
        { "bin(efbfbf),json(utf8s)", "" },
        { "bin(0801220a0d095c7f1f),json", "\\b\\u0001\\\"\\n\\r\\t\\\\\\u007f\\u001f" },
        { "bin(2f225c),json", "\\/\\\"\\\\" },
        { "bin(61e2),json(utf8s)", "a" },
        { "bin(61e282),json(utf8s)", "a" },
        { "bin(61e28262),json(utf8s)", "ab" },
        { "bin(6180c362),json(utf8s)", "ab" },
        { "bin(fe61ff62),json(utf8s)", "ab" },
        { "bin(c2),json(utf8)", "<miss>" },
        { "bin(e0809f61),json(utf8s)", "a" },
        { "bin(e0809f61),json(utf8p)", "\\u001fa" },
        { "bin(f8888080),json(utf8s)", "" },
        { "bin(c280),json(utf8)", "\\u0080" },
        { "str(abc),json()", "abc" },
        { "bin(0c),json", "\\f" },
        { "str('{\"a\":1}'),json_query('$.a')", "1" },
        { "str('{\"a\":1}'),json_query('$.a','int')", "1" },
        { "str('{\"a\":\"5\"}'),json_query('$.a','int')", "5" },
        { "str('{\"a\":\"x5\"}'),json_query('$.a','int')", "x5" },
        { "str('{\"a\":4.5}'),json_query('$.a')", "4.5" },
        { "str('{\"a\":4.5}'),json_query('$.a','int')", "4" },
        { "str('{\"a\":-4}'),json_query('$.a','int')", "-4" },
        { "str('{\"a\":1e3}'),json_query('$.a')", "1000" },
        { "str('{\"a\":1e3}'),json_query('$.a','int')", "1" },
        { "str('{\"a\":9223372036854775808}'),json_query('$.a','int')", "<miss>" },
        { "str('{\"a\":123456789012345678901234567890}'),json_query('$.a')", "1.23457e+29" },
        { "str('{\"a\":true}'),json_query('$.a')", "1" },
        { "str('{\"a\":false}'),json_query('$.a')", "0" },
        { "str('{\"a\":true}'),json_query('$.a','int')", "1" },
        { "str('{\"a\":null}'),json_query('$.a')", "<miss>" },
        { "str('{\"a\":{\"b\":2}}'),json_query('$.a')", "<miss>" },
        { "str('{\"a\":{\"b\":2}}'),json_query('$.a.b')", "2" },
        { "str('{\"a\":[1,\"x\",{\"c\":3}]}'),json_query('$.a')", "[1,\"x\",{\"c\":3}]" },
        { "str('{\"a\":[1,\"x\",{\"c\":3}]}'),json_query('$.a[0]')", "1" },
        { "str('{\"a\":[1,\"x\",{\"c\":3}]}'),json_query('$.a[1]')", "x" },
        { "str('{\"a\":[1,\"x\",{\"c\":3}]}'),json_query('$.a[2].c')", "3" },
        { "str('{\"a\":[1,\"x\",{\"c\":3}]}'),json_query('$.a[3]')", "<miss>" },
        { "str('{\"a\":[1,\"x\"]}'),json_query('$.a','int')", "[1,\"x\"]" },
        { "str('[1,2]'),json_query('$[1]')", "2" },
        { "str('[1,2]'),json_query('$')", "[1,2]" },
        { "str('5'),json_query('$')", "5" },
        { "str('\"abc\"'),json_query('$')", "abc" },
        { "str('{\"a\":\"x\\\\ny\"}'),json_query('$.a')", "x\\ny" },
        { "str('{\"a\":\"x\\\\u0041y\"}'),json_query('$.a')", "x\\u0041y" },
        { "str('{\"a\":\"x\\\\u00e9y\"}'),json_query('$.a')", "x\\u00e9y" },
        { "str('{\"a\":\"x\\\\u0001y\"}'),json_query('$.a')", "x\\u0001y" },
        { "str('{\"a\":\"\\\\ud83d\\\\ude00\"}'),json_query('$.a')", "\\ud83d\\ude00" },
        { "str('{\"my.key\":\"v\"}'),json_query('$.my\\\\.key')", "<miss>" },
        { "str('{\"a\":1'),json_query('$.a')", "1" },
        { "str('{\"a\":1,}'),json_query('$.a')", "1" },
        { "str('{\"b\":1,\"a\":2}'),json_query('$.a')", "2" },
        { "str('{\"a\":1,\"a\":2}'),json_query('$.a')", "1" },
        { "str('{ \"a\" : 7 }'),json_query('$.a')", "7" },
        { "str('junk'),json_query('$.a')", "<miss>" },
        { "str(''),json_query('$.a')", "<miss>" },
        { "str('{\"a\":\"\"}'),json_query('$.a')", "" },
        { "str('{\"a\":1}'),json_query('a')", "<miss>" },
        { "str('{\"a\":1}'),json_query('$.b')", "<miss>" },
        { "str('{\"a\":1}'),json_query('$..a')", "<miss>" },
        { "str('{\"a\":1} trailing'),json_query('$.a')", "1" },
        { "str('{\"ab\":1}'),json_query('$.a')", "<miss>" },
        { "str('{\"a\":{\"x\":1},\"b\":2}'),json_query('$.b')", "2" },
        { "str('{\"a\":[]}'),json_query('$.a')", "[]" },
        { "str('{\"a\":{}}'),json_query('$.a')", "<miss>" },
        { "str('{\"a\":1}'),json_query('$.*')", "<miss>" },
        { "str('{\"a\":\"x\\u0041y\"}'),json_query('$.a')", "xAy" },
        { "str('{\"a\":\"\\ud83d\\ude00\"}'),json_query('$.a')", "<miss>" },
        { "str('{\"a\":\"\\q\"}'),json_query('$.a')", "<miss>" },
        { "str('{\"my.key\":\"v\"}'),json_query('$.my\\.key')", "v" },
        { "str('{\"a\":123456789}'),json_query('$.a')", "1.23457e+08" },
        { "str('{\"a\":3.14159265}'),json_query('$.a')", "3.14159" },
        { "str('{\"a\":1234567.5}'),json_query('$.a')", "1.23457e+06" },
        { "str('{\"a\":9007199254740993}'),json_query('$.a')", "9.0072e+15" },
        { "str('{\"a\":-0}'),json_query('$.a')", "-0" },
        { "str('{\"a\":12345678901}'),json_query('$.a')", "1.23457e+10" },
        { "str('{\"a\":9223372036854775807}'),json_query('$.a')", "9.22337e+18" },
        { "str('{\"a\":9223372036854775807}'),json_query('$.a','int')", "<miss>" },
        { "str('{\"a\":-9223372036854775808}'),json_query('$.a','int')", "<miss>" },
        { "str('{\"a\":1.0}'),json_query('$.a')", "1" },
        { "str('{\"a\":[ 1, \"x\" ]}'),json_query('$.a')", "[ 1, \"x\" ]" },
        { "str('{\"a\":[[1],[2]]}'),json_query('$.a[1][0]')", "2" },
        { "str('[{\"a\":1}]'),json_query('$[0].a')", "1" },
        { "str('{\"a\\\"b\":1}'),json_query('$.a\"b')", "<miss>" },
        { "str('{\"a\":1}'),json_query('$')", "<miss>" },
        { "str('{\"a\":true,\"b\":2}'),json_query('$.b')", "2" },
        { "str('{\"a\":\"}\",\"b\":2}'),json_query('$.b')", "2" },
        { "str('{\"a\":{\"b\":1},\"b\":2}'),json_query('$.b')", "2" },
        { "str('{\"a\":x}'),json_query('$.a')", "<miss>" },
        { "str('{\"a\":01}'),json_query('$.a')", "1" },
};

/* What is not the same in HAProxy, or cannot be seen from outside: tests/differences.tsv. */
static const struct pair own_rows[] = {
        { "str(abcdef),bytes(3,7)", "def" },
        { "str(abcdef),bytes(1,txn.n)", "bcdef" },
        { "int(-1),http_date", "Wed, 31 Dec 1969 23:59:59 GMT" },
        { "int(9223372036854775807),http_date", "<miss>" },
        { "int(9223372036854775807),http_date(1)", "<miss>" },
        { "int(-5),utime(%s)", "-5" },
        { "int(-5),ms_utime(%s.%3N)", "-1.995" },
        { "int(784111777123),ms_utime(%%N)", "%N" },
        { "bin(ffffffffffffff7f),le2dec(:,8)", "9223372036854775807" },
        { "str(::1),ipmask(24,128)", "::1" },
        { "str(2001:db8:1:2:3:4:5:6),ipmask(8,64)", "2001:db8:1:2::" },
        { "str(2001:db8:1:2:3:4:5:6),ipmask(8,33)", "2001:db8::" },
        { "str(2001:db8:1:2:3:4:5:6),ipmask(8)", "<miss>" },
        { "str(::ffff:10.1.2.3),ipmask(8)", "10.0.0.0" },
        { "str('{\"a\":true}'),json_query('$.a'),add(1)", "2" },
        { "str('{\"a\":[[[[1]]]]}'),json_query('$.a[0][0][0][0]',int),add(1)", "2" },
        { "str(f),fe_exists", "0" },
        { "str(/////a///b/c/xzxyz/),regsub('/+','/','g')", "/a/b/c/xzxyz/" },
        { "str(aaa),regsub(a,b)", "baa" },
        { "str(aAa),regsub(a,b,ig)", "bbb" },
        { "str(aAa),regsub(A,b,i)", "bAa" },
        { "str(abc),regsub('x','y')", "abc" },
        { "str(abc),regsub('x*','-','g')", "-a-b-c-" },
        { "str(abc),regsub('b*','-','g')", "-a--c-" },
        { "str(abc),regsub('^','-','g')", "-abc" },
        { "str(abc),regsub('$','-','g')", "abc-" },
        { "str(abc),regsub('b','','g')", "ac" },
        { "str(),regsub('^$','x')", "x" },
        { "str('foo123'),regsub('(foo|bar)([0-9]+)?','\\2\\1',i)", "123foo" },
        { "str(abc),regsub(b,'\\x41')", "aAc" },
        { "str(nope),nbsrv", "<miss>" },
        { "str(nope/s1),srv_queue", "<miss>" },
        { "str(nope/s1),srv_is_up", "<miss>" },
};

/* Which arguments are refused, and with what words. */
static const struct pair refused[] = {
        { "int(5),add(0x10)", "expects an integer or a variable name." },
        { "int(5),add(foo.x)", "expects an integer or a variable name." },
        { "int(5),add(3,4)", "too many arguments" },
        { "str(a),bytes(-1)", "expects a non-negative integer." },
        { "str(a),bytes(0,0)", "expects a positive integer." },
        { "str(a),be2dec(:,9)", "chunk_size out of [1..8] range (9)." },
        { "str(a),be2dec(:)", "chunk_size out of [1..8] range (0)." },
        { "str(a),le2dec(:,2,2)", "Unsupported truncate value (2)." },
        { "str(a),be2hex(:)", "chunk_size needs to be positive (0)." },
        { "str(a),field(0,b)", "Unexpected value 0 for index." },
        { "str(a),word(1,)", "Empty separators list." },
        { "str(a),param(b,&&)", "Delimiter must be exactly 1 character." },
        { "str(a),strcmp", "missing" },
        { "str(a),strcmp(abc)", "failed to register variable name 'abc'" },
        { "str(a),concat(x,foo)", "failed to register variable name 'foo'" },
        { "str(a),add_item(',',)", "one of the optional arguments has to be nonempty." },
        { "str(a),add_item(',')", "missing arguments (got 1/2)" },
        { "str(a),url_enc(x)", "Unexpected encode type. Allowed value is 'query'." },
        { "str(a),json(xyz)", "Unexpected input code type." },
        { "str(a),json_query", "json_path must not be empty." },
        { "str(a),json_query('$.a','str')", "output_type only supports \"int\" as argument." },
        { "int(1),http_date(10,h)", "expects 's', 'ms' or 'us', got 'h'." },
        { "str(a),regsub(a,b,x)", "invalid regex flag 'x', only 'i' and 'g' are supported." },
        { "str(a),regsub('[',b)", "is invalid (error=missing terminating ] for character class" },
        { "str(a),regsub('',b)", "missing regex" },
        { "bool(1),iif(a)", "missing arguments (got 1/2)" },
        { "str(a),ipmask(33)", "failed to parse '33'" },
        { "str(a),ipmask(8,129)", "failed to parse '129' as type 'IPv6 mask'" },
};

static void test_refused(void **st)
{
        (void)st;
        each_is_refused(refused, array_len(refused));
}

/* Output that is larger than scratch memory is no sample, and nothing is written behind it. */
static void test_bounds(void **st)
{
        static const struct {
                const char *conv;
                size_t fits; /* input bytes that still make a sample */
        } t[] = { { "hex", 8192 },        { "base2", 2048 },   { "be2dec(:,1)", 4095 }, { "be2hex(:,1)", 5461 },
                  { "base64", 12285 },    { "url_enc", 5461 }, { "json(ascii)", 2730 }, { "reverse", 16384 },
                  { "concat(x)", 16383 }, { "lower", 16384 } };
        static char big[20000];

        (void)st;
        memset(big, 0xff, sizeof(big));
        for (size_t i = 0; i < array_len(t); i++) {
                char text[80];

                (void)snprintf(text, sizeof(text), "var(txn.big),%s,length", t[i].conv);
                set_bytes("txn.big", (struct str){ big, t[i].fits });
                if (strcmp(value_of(text), "<miss>") == 0)
                        fail_msg("%s: %zu bytes should fit", t[i].conv, t[i].fits);
                set_bytes("txn.big", (struct str){ big, t[i].fits + 64 });
                if (strcmp(value_of(text), "<miss>") != 0)
                        fail_msg("%s: %zu bytes should not fit", t[i].conv, t[i].fits + 64);
        }
}

static int set_variables(void **st)
{
        struct str ff = { "\0\xff", 2 };

        if (convs_setup(st))
                return -1;
        (void)value_of("int(3),set-var(txn.i)");
        (void)value_of("str(hello),set-var(txn.s)");
        (void)value_of("bool(1),set-var(txn.t)");
        (void)value_of("src,set-var(txn.ip)");
        (void)value_of("str(),set-var(txn.e)");
        (void)value_of("str(12abc),set-var(txn.n)");
        set_bytes("txn.b", ff);
        return 0;
}

static void test_math(void **st)
{
        (void)st;
        check(math_rows, array_len(math_rows));
}

static void test_hash(void **st)
{
        (void)st;
        check(hash_rows, array_len(hash_rows));
}

static void test_digits(void **st)
{
        (void)st;
        check(digits_rows, array_len(digits_rows));
}

static void test_parts(void **st)
{
        (void)st;
        check(parts_rows, array_len(parts_rows));
}

static void test_text(void **st)
{
        (void)st;
        check(text_rows, array_len(text_rows));
}

static void test_time(void **st)
{
        (void)st;
        check(time_rows, array_len(time_rows));
}

static void test_json(void **st)
{
        (void)st;
        check(json_rows, array_len(json_rows));
}

static void test_own(void **st)
{
        (void)st;
        check(own_rows, array_len(own_rows));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_math),   cmocka_unit_test(test_hash), cmocka_unit_test(test_digits),
                cmocka_unit_test(test_parts),  cmocka_unit_test(test_text), cmocka_unit_test(test_time),
                cmocka_unit_test(test_json),   cmocka_unit_test(test_own),  cmocka_unit_test(test_refused),
                cmocka_unit_test(test_bounds),
        };

        return cmocka_run_group_tests(tests, set_variables, convs_teardown);
}
