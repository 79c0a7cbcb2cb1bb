/*
 * An account's RSA key, and session ids under it.
 *
 * They were made for these tests; three other clients read them alike.
 */
#ifndef RSAKEY_H
#define RSAKEY_H

#define SID "QUJDREVGR0hJSktMTU5PUEFRSURCQVVHQndnYWJjZGVmZ2hpamtsbW5vcA"
#define PRIVK \
    "f25ltxCAqd3nMcnTnrnwJt00Y9xUg54J5iurvAZQloMWzehgpqJ1B2TNH_AL0UNJ" \
    "bGu81aRxH8viEyB1W79AKvJ0uFaGfoKHw5cEOvWYzTbqeQbe7XShgG7n359f1J5-" \
    "Ho14B_uBhu1kIQopMlrsrmYcniT2SFFpDYiLXdt9CZOlk19rXN71uCJ3GeTZqXoe" \
    "i9lCn54MdwJwXrF8ZVpXms8iHEzoU6-TiJsFNdr-D-3m4Z7niAsOKxmQV4DnuvJ3" \
    "Ji4k0Mkt-sMZzZIn4dw2Wna5kiSzM9DZtVfmfA-IofyM8qaiksrxtSKHNBwpWLv-" \
    "eZYy_YUdZQH70FLQM_b1H7-bRy0cvHhwivtYumrPj1Inj0Hbj1EQ4x_gzPYhjhXq" \
    "DJjMv1yGe1G7ICci0dEbHXV-FZgidlnTn0uHGA_e-NZUwv3WhkHYgKxFPTi98BnM" \
    "E01KYqJR00bnc8UMUTaDcwx3f7pF7vAslRP0_Uw5QjOWaqsMG4UE_x9CmwDbbSNO" \
    "0r47sntd5Y3WNvQDDdnnS4YRIqEF_XZLUpQ8GTOkrOgyOzFPZMC9Qy_yIRl4S_ys" \
    "PxMo6042wfcLWzKT4m8CUVvvPtnrSiewOpjw9GC3PIpywJEqcHD9enauR9eLPmng" \
    "Hp0-DVSLpqyhqNkwTAuep1Rh8Gr9uFsehkyI4UcQGJycOduheq3az4WfhgXhpB4E" \
    "OKuh789fQu2mFYPTUzUzDiy8ccE9UHHq0UD_j8sX7NdZ5bx4p6UTyeCKeyXOmC46" \
    "iOG-pkIljq9lz5_hDiR1Kz0Pd01t59qP917G4SuZIvivGGLKaE2RtqA6W0A-AsUH" \
    "cYurztG1-jfry__0TTLxL6k1GhI6OWTQ0sQRMfMD3oc"
#define PUBK \
    "CAC4s7QXDkawpm4quQrL8cxI5wbGYM1S_yawHHoZrpXfAQnT1eg58k_E7OpJEv7i" \
    "RcyCNdIphlvjDKIrLWWL6lQQoky7CxECVSB5KB1t-wx9gq_7KyhVnc-kJMCJV-rN" \
    "FZfHep3s29NJBAoLo8UdGxJ99HHA5gOPWGMMyt-zLiuCOQITObF82x8JWT5Qft9s" \
    "Y-xII_Y_by-qgQ24SDjm5GVuI2h4xkCc1pa7gX9P7WVGFEDYjYm3-zz0liPu61VV" \
    "EyB9v3x1B3SIOKtTDK5IaYJJwl2g_tnedH5fNtk2t8ipPGcnqTXKNEJU6pGPLWM1" \
    "BXhyEBxVI-yDBF5YRWTezSpbABABAQ"
#define CSID \
    "CACrNtR576jtpauV_9utSWuBiU62NMEIF3D-Yr5bWWhAiJx-_5_Onkh_5LsepDlF" \
    "UeNlHsexgHzBgc5nZEA2W2Pl2M6BertYFG3eK5cI37t02c07QaH-Uq26DA0lRLuy" \
    "NEAyOLphDmXV0ubuf4FftUc2r2-3J1iozKNKK2GHsxFF8bnlVVOtdFcHLnFzwjjA" \
    "lxJFUtXaFR-OyIlYmCLF48_ZF5AYL6aJJtGYos2yAKY12YK3fmno1rCtvwagm4CA" \
    "Hjw5SSlj40B4idP7Qf4WgayvTBfC5PiOEsAwuVkXycIxiHvCPGdcVIebvqs-xUsI" \
    "2QcGuGPmbR_vUALiAgKoyWWw"
#define EDGE \
    "CACfkZSx1WQ7YfGacrdkpllx-GJUxGagdSsOXX1nXMRpPoEeZtkU25KfwaQ6FBv0" \
    "jet2yYzDhS0wDf5qeooBBVDdAEVJPVZHER-_QZMmtJb0JKzrO7DejjQaA1J0n6rj" \
    "iRaX4hqflHoa4bkeS447Pnv5Ag_u-EF7REd55rlTXA3NaX1-neSdJBDdXTHgM9Z0" \
    "8mkmUxSD-ZA4cSQbgnKTsw-cr0PEzWlvOZU5_GbYPeVSbNvcxzefBRsDOh5eiVIA" \
    "sbOcTF0WTesfRn9hdYGVBWUBzTJFueM8z_kh-1kewu7oSeiGKS-X83hv7eG-SLOK" \
    "M5o-K5tPC33fYCrAHdk9VFlR"

#endif
